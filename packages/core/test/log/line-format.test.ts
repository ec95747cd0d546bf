// A log line byte for byte, and texts that cannot forge one.
import { describe, expect, it } from 'vitest';
import { DEFAULT_STYLE, formatLine, formatTime, oneLine } from '../../src/log/line-format.ts';
import { savedName } from '../../src/log/rotating-file.ts';

const time = {
  epoch: 1_795_000_000.5,
  year: 2026,
  month: 11,
  day: 3,
  hour: 4,
  minute: 5,
  second: 6,
};

describe('log lines', () => {
  it.each([
    ['the default style', DEFAULT_STYLE, 'info', '11/03/26 04:05:06 text\n'],
    ['an error', DEFAULT_STYLE, 'error', '11/03/26 04:05:06 ERROR: text\n'],
    [
      'D_PID and D_CAT',
      { ...DEFAULT_STYLE, showPid: true, showCategory: true },
      'debug',
      '11/03/26 04:05:06 (pid:42) (D_FULLDEBUG) text\n',
    ],
    ['LOGS_USE_TIMESTAMP', { ...DEFAULT_STYLE, useTimestamp: true }, 'info', '1795000000 text\n'],
    [
      'CREDMON_LOG_FORMAT = json',
      { ...DEFAULT_STYLE, json: true, showPid: true },
      'warn',
      '{"time":"2026-11-18T11:06:40Z","level":"warn","pid":42,"message":"text"}\n',
    ],
  ])('%s', (_, style, level, line) => {
    expect(formatLine(style, time, 42, level, 'text')).toBe(line);
  });

  it('R43 one message is one line', () => {
    expect(oneLine('a\n11/03/26 forged\r\n\u001b[31mred\t!')).toBe(
      'a | 11/03/26 forged | [31mred !'.replace(' | [', ' |  ['),
    );
  });

  it('R43 one message is one line of JSON, and keeps its text', () => {
    const text = 'a\n{"level":"info"}\r\u2028\u001b[31m\u009b';
    const line = formatLine({ ...DEFAULT_STYLE, json: true }, time, 42, 'info', text);
    expect(JSON.parse(line)).toMatchObject({ level: 'info', message: text });
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  });

  it('formats the time as strftime(3) does, for every DEBUG_TIME_FORMAT', () => {
    const at = { epoch: Date.UTC(2026, 10, 3, 3, 5, 6) / 1000 };
    expect(formatTime('%a %d %b %Y %I:%M:%S %p %j %z %s', { ...time, ...at })).toBe(
      `Tue 03 Nov 2026 04:05:06 AM 307 +0100 ${at.epoch}`,
    );
    const west = { ...time, epoch: at.epoch + 5.5 * 3600 };
    expect([formatTime('%z', west), formatTime('%Z', west)]).toEqual(['-0430', '-0430']);
    expect(formatTime('%A %Z', { ...time, epoch: at.epoch + 3600 })).toBe('Tuesday UTC');
  });

  it('supports the fields of strftime that HTCondor configurations use', () => {
    expect(formatTime('%Y-%m-%dT%H:%M:%S %F %T %D %y %s %% %Q', time)).toBe(
      '2026-11-03T04:05:06 2026-11-03 04:05:06 11/03/26 26 1795000000 % %Q',
    );
    expect(savedName('/l/Log', time)).toBe('/l/Log.20261103T040506');
  });
});
