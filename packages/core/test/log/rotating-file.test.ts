// A log that cannot be rotated: no line is lost, nothing is thrown, and the next rotation
// works.
import * as fs from 'node:fs';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_STYLE } from '../../src/log/line-format.ts';
import { type LogOptions } from '../../src/log/settings.ts';
import { openLog } from '../../src/log/logger.ts';

/** File system calls that fail: by name, and the numbers of the failing ones. */
const refused = vi.hoisted(() => ({ call: '', from: 0, to: 0, code: 'ENOSPC' }));

vi.mock('node:fs', async (load) => {
  const real = await load<typeof fs>();
  const breakable = <A extends unknown[], R>(name: string, call: (...args: A) => R) =>
    function broken(...args: A): R {
      if (refused.call !== name) return call(...args);
      refused.from -= 1;
      refused.to -= 1;
      if (refused.from >= 0 || refused.to < 0) return call(...args);
      throw Object.assign(new Error(`${refused.code}: ${name}`), { code: refused.code });
    };
  return {
    ...real,
    openSync: breakable('openSync', real.openSync),
    renameSync: breakable('renameSync', real.renameSync),
    fstatSync: breakable('fstatSync', real.fstatSync),
    closeSync: breakable('closeSync', real.closeSync),
    unlinkSync: breakable('unlinkSync', real.unlinkSync),
    readdirSync: breakable('readdirSync', real.readdirSync),
    ftruncateSync: breakable('ftruncateSync', real.ftruncateSync),
  };
});

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-log-'));
  path = join(directory, 'Log');
  refuse('', 0, 0);
});

/** Makes the calls from `from` to before `to` fail, counted from 0. */
function refuse(call: string, from: number, to: number, code = 'ENOSPC'): void {
  Object.assign(refused, { call, from, to, code });
}

const options = (change: Partial<LogOptions> = {}): LogOptions => ({
  path,
  stderr: false,
  debug: false,
  maxBytes: 1000,
  maxSeconds: 0,
  maxSaved: 20,
  truncate: false,
  mode: 0o640,
  style: DEFAULT_STYLE,
  ...change,
});

/** All text in the log files, and the order of the numbered lines. */
function written(): { text: string; lines: number[] } {
  const text = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort((a, b) => (a === 'Log' ? 1 : b === 'Log' ? -1 : a.localeCompare(b)))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');
  return { text, lines: [...text.matchAll(/line (\d+)$/gm)].map((match) => Number(match[1])) };
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

it.each([
  ['the new file cannot be created', 'openSync', 0, 1],
  ['the full one cannot be renamed', 'renameSync', 0, 1],
  ['the new one cannot be put in its place', 'renameSync', 1, 2],
  ['... and the full one cannot be renamed back', 'renameSync', 1, 3],
] as const)('no line is lost and the next rotation works when %s', async (_, call, from, to) => {
  const log = await openLog(options({ maxSaved: 1 }));
  refuse(call, from, to);
  // About 30 bytes a line: full after 34, and again after as many.
  for (const index of numbers(60)) log.info(`line ${index}`);
  const stuck = written();
  for (const index of numbers(20)) log.info(`line ${60 + index}`);
  log.close();
  expect(stuck.lines).toEqual(numbers(60));
  expect(stuck.text).toContain(`WARN: Cannot save log file to "${path}.old" (ENOSPC)`);
  expect(written().lines).toEqual(numbers(80));
  expect(readFileSync(path, 'utf8')).toContain(`Now in new log file ${path}`);
  expect(readdirSync(directory).sort()).toEqual(['Log', 'Log.old']);
});

it('the previously saved log is kept when a new file cannot be created', async () => {
  writeFileSync(`${path}.old`, 'kept\n');
  const log = await openLog(options({ maxSaved: 1 }));
  refuse('openSync', 0, 1);
  for (const index of numbers(60)) log.info(`line ${index}`);
  log.close();
  expect(readFileSync(`${path}.old`, 'utf8')).toBe('kept\n');
});

it.each([
  ['the length cannot be read', 'fstatSync', 0, 3],
  ['the full file cannot be closed', 'closeSync', 0, 1],
  ['saved ones cannot be listed', 'readdirSync', 0, 1],
] as const)('no line is lost when %s', async (_, call, from, to) => {
  const log = await openLog(options());
  refuse(call, from, to, 'EIO');
  for (const index of numbers(40)) log.info(`line ${index}`);
  log.close();
  refuse('', 0, 0);
  expect(written().lines).toEqual(numbers(40));
});

it('a log that is too old and cannot be rotated is not tried again at each line', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  mkdirSync(join(`${path}.old`, 'occupied'), { recursive: true });
  const log = await openLog(options({ maxBytes: 0, maxSeconds: 60, maxSaved: 1 }));
  vi.advanceTimersByTime(61_000);
  for (const index of numbers(40)) log.info(`line ${index}`);
  vi.useRealTimers();
  log.close();
  expect([written().text.split('Cannot save').length - 1, written().lines]).toEqual([
    1,
    numbers(40),
  ]);
});

it('directories with the name of a saved log are ignored, and the log continues', async () => {
  const named = ['Log.20200101T000000', 'Log.20200101T000001', 'Log.20200101T000002'];
  for (const name of named) mkdirSync(join(directory, name));
  const log = await openLog(options({ maxSaved: 2 }));
  for (const index of numbers(60)) log.info(`line ${index}`);
  log.reopen();
  log.info('line 60');
  log.close();
  expect(readFileSync(path, 'utf8')).toMatch(/line 60\n$/);
  expect(readdirSync(directory)).toEqual(expect.arrayContaining(named));
});

it('a saved log that cannot be removed is reported, and the log continues', async () => {
  for (const day of [1, 2, 3]) writeFileSync(`${path}.2020010${day}T000000`, '');
  const log = await openLog(options({ maxSaved: 3 }));
  refuse('unlinkSync', 0, 1, 'EPERM');
  for (const index of numbers(40)) log.info(`line ${index}`);
  log.close();
  expect(written().lines).toEqual(numbers(40));
  expect(written().text).toContain(
    `WARN: Cannot remove old log files: ${path}.20200101T000000 (EPERM)`,
  );
});

it('a log that was moved away is created again when it would have been full', async () => {
  const log = await openLog(options());
  log.info('line 0');
  renameSync(path, join(directory, 'Log.1'));
  for (const index of numbers(50)) log.info(`line ${index + 1}`);
  log.close();
  expect(written().lines).toEqual(numbers(51));
  expect(readFileSync(path, 'utf8')).toContain('line 50');
});

it('R45 a log that cannot be opened again leaves the old one unchanged, and no file open', async () => {
  const log = await openLog(options());
  const before = readdirSync('/proc/self/fd').length;
  expect(() => log.reopen(options({ path: join(directory, 'none', 'Log'), debug: true }))).toThrow(
    expect.objectContaining({ code: 'LOG_UNWRITABLE' }),
  );
  log.debug('hidden');
  log.info('line 0');
  expect([readdirSync('/proc/self/fd').length, written().text]).toEqual([
    before,
    expect.stringMatching(/^\S+ \S+ line 0\n$/) as string,
  ]);
  log.close();
});

it('a file that cannot be truncated is LOG_UNWRITABLE and is closed; other file types are not truncated', async () => {
  (await openLog(options({ path: '/dev/null', truncate: true }))).close();
  const before = readdirSync('/proc/self/fd').length;
  refuse('ftruncateSync', 0, 1, 'EPERM');
  await expect(openLog(options({ truncate: true }))).rejects.toThrow(
    expect.objectContaining({ code: 'LOG_UNWRITABLE' }),
  );
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
});
