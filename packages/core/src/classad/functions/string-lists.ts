// stringListSize, stringListSum, stringListMember ... : functions on lists that are
// written in a string.
import { lowerAscii } from '../language/bytes.ts';
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { leadingNumber, truncated } from '../print/number-text.ts';
import { ERROR, UNDEFINED, booleanValue, integerValue, realValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';
import { exceptional, optionalString, taking } from './args.ts';
import { itemsOf } from './split.ts';

const overItems = (run: (items: string[]) => Value): ClassAdFunction =>
  taking(1, 2, ([list = ERROR, delimiters]) => {
    const separators = optionalString(delimiters, ' ,');
    if (list.type !== 'string' || separators === undefined) return ERROR;
    return run(itemsOf(list.value, separators));
  });

/**
 * Sums up numbers; the result is an integer when every item is made of digits and signs
 * only.
 */
const overNumbers = (
  empty: Value,
  combine: (numbers: readonly number[]) => number,
): ClassAdFunction =>
  overItems((items) => {
    if (items.length === 0) return empty;
    const numbers = items.map(leadingNumber);
    if (!numbers.every((number): number is number => number !== undefined)) return ERROR;
    const result = combine(numbers);
    const whole = items.every((item) => /^[-+0-9]+$/.test(item));
    return whole ? integerValue(truncated(result)) : realValue(result);
  });

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The reference starts its search for the greatest number at the least positive one. */
const LEAST_POSITIVE = 2 ** -1022;
const greatest = (numbers: readonly number[]): number =>
  numbers.reduce((a, b) => Math.max(a, b), LEAST_POSITIVE);
const least = (numbers: readonly number[]): number =>
  numbers.reduce((a, b) => Math.min(a, b), Number.MAX_VALUE);

type Fold = (text: string) => string;
const exact: Fold = (text) => text;

/**
 * Two strings and optional delimiters. UNDEFINED counts as an empty string unless both
 * are UNDEFINED.
 */
const overTwo = (
  run: (first: string, second: string, delimiters: string) => boolean,
): ClassAdFunction =>
  taking(2, 3, ([first = ERROR, second = ERROR, delimiters]) => {
    if (first.type === 'undefined' && second.type === 'undefined') return UNDEFINED;
    const [a, b] = [first, second].map(textOrEmpty);
    const separators = delimiters?.type === 'undefined' ? ' ,' : optionalString(delimiters, ' ,');
    if (a === undefined || b === undefined || separators === undefined) return ERROR;
    return booleanValue(run(a, b, separators));
  });

const textOrEmpty = (value: Value): string | undefined =>
  value.type === 'undefined' ? '' : optionalString(value, '');

const membership = (fold: Fold): ClassAdFunction =>
  overTwo((item, list, delimiters) =>
    itemsOf(list, delimiters).some((one) => fold(one) === fold(item)),
  );

const subset = (fold: Fold): ClassAdFunction =>
  overTwo((part, list, delimiters) => {
    const whole = new Set(itemsOf(list, delimiters).map(fold));
    return itemsOf(part, delimiters).every((item) => whole.has(fold(item)));
  });

const intersect = taking(2, 3, (args) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [first, second, delimiters] = args;
  const separators = optionalString(delimiters, ' ,');
  if (first?.type !== 'string' || second?.type !== 'string' || separators === undefined)
    return ERROR;
  const items = new Set(itemsOf(first.value, separators));
  return booleanValue(itemsOf(second.value, separators).some((item) => items.has(item)));
});

export const STRING_LIST_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['stringlistsize', overItems((items) => integerValue(items.length))],
  ['stringlistsum', overNumbers(realValue(0), sum)],
  ['stringlistavg', overNumbers(realValue(0), (numbers) => sum(numbers) / numbers.length)],
  ['stringlistmin', overNumbers(UNDEFINED, least)],
  ['stringlistmax', overNumbers(UNDEFINED, greatest)],
  ['stringlistmember', membership(exact)],
  ['stringlistimember', membership(lowerAscii)],
  ['stringlistsubsetmatch', subset(exact)],
  ['stringlistisubsetmatch', subset(lowerAscii)],
]);

export const STRING_LISTS_INTERSECT: ClassAdFunction = intersect;
