// versioncmp, versionLT ..., version_in_range: texts compared as versions.
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { ERROR, booleanValue, integerValue } from '../language/value.ts';
import { exceptional, stringOf, taking } from './args.ts';

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/**
 * Orders two texts as glibc's `strverscmp` does: digit runs by value, runs with leading
 * zeros as fractions. Only the sign of the result has a meaning.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const code = (text: string, at: number): number => (at < text.length ? text.charCodeAt(at) : 0);
  let at = 0;
  let digits = 0;
  let zeros = true;
  for (; code(a, at) === code(b, at); at += 1) {
    if (!isDigit(code(a, at))) [digits, zeros] = [at + 1, true];
    else if (code(a, at) !== 48) zeros = false;
  }
  const startsNumber = (text: string): boolean =>
    isDigit(code(text, digits)) && code(text, digits) !== 48;
  if (startsNumber(a) && startsNumber(b)) {
    const run = (text: string): number => /^\d*/.exec(text.slice(at))?.[0].length ?? 0;
    if (run(a) !== run(b)) return run(a) > run(b) ? 1 : -1;
  } else if (zeros && digits < at && isDigit(code(a, at)) !== isDigit(code(b, at))) {
    return isDigit(code(a, at)) ? -1 : 1;
  }
  return code(a, at) - code(b, at);
}

const comparing = (decide: (order: number) => boolean): ClassAdFunction =>
  taking(2, 2, (args) => {
    const [a, b] = args.map(stringOf);
    if (a === undefined || b === undefined) return exceptional(args) ?? ERROR;
    return booleanValue(decide(compareVersions(a, b)));
  });

const versioncmp = taking(2, 2, (args) => {
  const [a, b] = args.map(stringOf);
  if (a === undefined || b === undefined) return exceptional(args) ?? ERROR;
  return integerValue(compareVersions(a, b));
});

const inRange = taking(3, 3, (args) => {
  const [version, least, most] = args.map(stringOf);
  if (version === undefined || least === undefined || most === undefined) return ERROR;
  return booleanValue(compareVersions(least, version) <= 0 && compareVersions(version, most) <= 0);
});

export const VERSION_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['versioncmp', versioncmp],
  ['versionle', comparing((order) => order <= 0)],
  ['versionlt', comparing((order) => order < 0)],
  ['versionge', comparing((order) => order >= 0)],
  ['versiongt', comparing((order) => order > 0)],
  ['versioneq', comparing((order) => order === 0)],
  ['version_in_range', inRange],
]);
