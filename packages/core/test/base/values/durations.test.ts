// Durations on a command line.
import { expect, it } from 'vitest';
import { durationOf } from '../../../src/base/values/numbers.ts';

it.each([
  ['0', 0],
  ['600', 600],
  ['90s', 90],
  ['10m', 600],
  ['2h', 7200],
  ['1d', 86_400],
])('--within %s is %d seconds', (text, seconds) => {
  expect(durationOf('--within', text)).toBe(seconds);
});

it.each(['', 'soon', '-1', '1.5h', '1 h', '1w', '99999999999999999d', ['1', '2']])(
  '--within %j is a usage error that shows the form',
  (value) => {
    expect(() => durationOf('--within', value)).toThrow(
      /^--within must be a duration such as 600, 10m, 2h or 1d, but is /,
    );
  },
);
