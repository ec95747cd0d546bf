// The format of values.
import { describe, expect, it } from 'vitest';
import { localTime, shownValue } from '../../src/cli/io.ts';

describe('shown values', () => {
  it('a time is local, with its offset', () => {
    expect(localTime(1_790_000_000)).toMatch(/^2026-09-\d\d \d\d:\d\d:\d\d [+-]\d{4}$/);
    expect(localTime(1e300)).toBe('1e+300 (invalid date)');
  });

  it.each([
    ['a\u001b[31m\n\u202e', String.raw`a\u001b[31m\u000a\u202e`],
    [5, '5'],
    [['a', '\n'], '["a","\\n"]'],
  ])('%j is %s, on one line and without control characters', (value, text) => {
    expect(shownValue(value)).toBe(text);
  });
});
