// Durations on a command line: whole seconds, or misuse.
import { CodedError } from '../errors/errors.ts';

/**
 * Reads the value of an option as whole seconds: decimal digits only, at least `min`.
 * `value` is what the parser of the command line found; an option that is given twice
 * comes as an array.
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
