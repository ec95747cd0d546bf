// The maximum and minimum of many numbers. `Math.max(...numbers)` fails with more than
// about 125,000.
import { CodedError } from '../errors/errors.ts';

/** Returns the largest number, but at least `atLeast`. */
export function largest(
  numbers: Iterable<number>,
  atLeast: number = Number.NEGATIVE_INFINITY,
): number {
  let found = atLeast;
  for (const number of numbers) found = Math.max(found, number);
  return found;
}

/** Returns the smallest number, but at most `atMost`. */
export function smallest(
  numbers: Iterable<number>,
  atMost: number = Number.POSITIVE_INFINITY,
): number {
  let found = atMost;
  for (const number of numbers) found = Math.min(found, number);
  return found;
}

// Durations on a command line.

/**
 * Parses the value of an option as whole seconds: decimal digits only, at least `min`.
 * `value` is the parser's; an option that is given twice is an array.
 * @throws CodedError `USAGE`
 */
export function wholeSeconds(option: string, value: unknown, min = 0): number {
  const text = typeof value === 'number' ? String(value) : value;
  const seconds = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(seconds) && seconds >= min) return seconds;
  const given = Array.isArray(value) ? 'more than one value' : JSON.stringify(value);
  throw new CodedError(
    'USAGE',
    `${option} must be a whole number of seconds, ${min} or more, but is ${given}`,
    { option },
  );
}

/** The seconds of each unit of a duration on a command line. */
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Parses the value of an option as a duration: whole seconds, or a whole number with `s`,
 * `m`, `h` or `d`. Returns seconds.
 * @throws CodedError `USAGE`
 */
export function durationOf(option: string, value: unknown): number {
  const [, digits = '', unit = ''] =
    typeof value === 'string' ? (/^(\d+)([smhd]?)$/.exec(value) ?? []) : [];
  const seconds = digits === '' ? Number.NaN : Number(digits) * (UNITS[unit] ?? Number.NaN);
  if (Number.isSafeInteger(seconds)) return seconds;
  const given = Array.isArray(value) ? 'more than one value' : JSON.stringify(value);
  throw new CodedError(
    'USAGE',
    `${option} must be a duration such as 600, 10m, 2h or 1d, but is ${given}`,
    { option },
  );
}
