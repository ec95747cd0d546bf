// The format of values.
import { describe, expect, it } from 'vitest';
import { duration, localTime, printable, table } from '../../src/cli/show.ts';

describe('shown values', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3661, '1 h 1 min'],
    [86_400 * 3 + 3600, '3 d 1 h'],
    [-90, '1 min 30 s'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('a time is local, with its offset', () => {
    expect(localTime(1_790_000_000)).toMatch(/^2026-09-\d\d \d\d:\d\d:\d\d [+-]\d{4}$/);
    expect(localTime(1e300)).toBe('1e+300 (invalid date)');
  });

  it('a table has even columns and no blanks at line ends', () => {
    expect(
      table([
        ['a', 'bb', 'c'],
        ['aaa', '', ''],
      ]),
    ).toBe('a    bb  c\naaa\n');
  });

  it('control characters are escaped', () => {
    expect(printable('a\u001b[31m\n\u202e')).toBe('a\\u{1b}[31m\\u{a}\\u{202e}');
  });
});
