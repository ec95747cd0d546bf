// member, anyCompare, sum ... : functions on lists.
import type { ComparisonOperator, IdentityOperator } from '../language/ast.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import { binary } from '../operate/strict-operators.ts';
import {
  ERROR,
  TRUE,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
  type Scope,
  type Value,
  listOf,
  stringValue,
} from '../language/value.ts';
import { elements, exceptional, taking, optionalString } from './args.ts';
import { lowerAscii, trimBlanks } from '../language/bytes.ts';
import { leadingNumber } from '../language/leading-number.ts';
import { truncated } from '../print/number-text.ts';

type ElementOperator = ComparisonOperator | IdentityOperator;

const OPERATORS: ReadonlyMap<string, ElementOperator> = new Map<string, ElementOperator>([
  ['<', '<'],
  ['<=', '<='],
  ['==', '=='],
  ['!=', '!='],
  ['>', '>'],
  ['>=', '>='],
  ['is', '=?='],
  ['isnt', '=!='],
]);

/**
 * True if an element equals the value; elements that cannot be compared with it are
 * skipped.
 */
const membership = (operator: ElementOperator): ClassAdFunction =>
  taking(2, 2, ([item = ERROR, list = ERROR], context, scope) => {
    const found = operator === '==' ? exceptional([item, list]) : exceptional([list]);
    if (found !== undefined) return found;
    if (list.type !== 'list' || item.type === 'list' || item.type === 'classad') return ERROR;
    return booleanValue(
      elements(list, scope, context).some((element) => binary(operator, element, item) === TRUE),
    );
  });

/**
 * `anyCompare` (decided by TRUE) and `allCompare` (decided by the first element that is
 * not TRUE).
 */
const comparing = (any: boolean): ClassAdFunction =>
  taking(3, 3, ([operator = ERROR, list = ERROR, scalar = ERROR], context, scope) => {
    const found = exceptional([operator, list]);
    if (found !== undefined) return found;
    if (operator.type !== 'string' || list.type !== 'list') return ERROR;
    const known = OPERATORS.get(operator.value);
    if (known === undefined) return ERROR;
    for (const element of elements(list, scope, context)) {
      const result = binary(known, element, scalar);
      if (result.type === 'error') return ERROR;
      if ((result === TRUE) === any) return booleanValue(any);
    }
    return booleanValue(!any);
  });

/**
 * Returns the numbers of a list, with booleans and without UNDEFINED; undefined if it has
 * other values.
 */
function numbers(list: Value, scope: Scope, context: Context): (bigint | number)[] | undefined {
  if (list.type !== 'list') return undefined;
  const found: (bigint | number)[] = [];
  for (const value of elements(list, scope, context)) {
    if (value.type === 'integer' || value.type === 'real') found.push(value.value);
    else if (value.type === 'boolean') found.push(BigInt(value.value));
    else if (value.type !== 'undefined') return undefined;
  }
  return found;
}

const aggregate = (run: (values: readonly (bigint | number)[]) => Value): ClassAdFunction =>
  taking(1, 1, ([list = ERROR], context, scope) => {
    if (list.type === 'undefined') return UNDEFINED;
    const values = numbers(list, scope, context);
    return values === undefined ? ERROR : run(values);
  });

const isInteger = (value: bigint | number): value is bigint => typeof value === 'bigint';

function sum(values: readonly (bigint | number)[]): Value {
  if (values.every(isInteger)) return integerValue(values.reduce((a, b) => a + b, 0n));
  return realValue(values.reduce<number>((total, value) => total + Number(value), 0));
}

function average(values: readonly (bigint | number)[]): Value {
  if (values.length === 0) return integerValue(0);
  return realValue(
    values.reduce<number>((total, value) => total + Number(value), 0) / values.length,
  );
}

const extreme =
  (better: (a: bigint | number, b: bigint | number) => boolean) =>
  (values: readonly (bigint | number)[]): Value => {
    const [first, ...rest] = values;
    if (first === undefined) return UNDEFINED;
    const best = rest.reduce((found, value) => (better(value, found) ? value : found), first);
    return values.every(isInteger) ? integerValue(BigInt(best)) : realValue(Number(best));
  };

export const LIST_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['member', membership('==')],
  ['identicalmember', membership('=?=')],
  ['anycompare', comparing(true)],
  ['allcompare', comparing(false)],
  ['sum', aggregate(sum)],
  ['avg', aggregate(average)],
  ['min', aggregate(extreme((a, b) => a < b))],
  ['max', aggregate(extreme((a, b) => a > b))],
]);

// stringListSize, stringListSum, stringListMember ... : functions on lists in a string.

const overItems = (run: (items: string[]) => Value): ClassAdFunction =>
  taking(1, 2, ([list = ERROR, delimiters]) => {
    const separators = optionalString(delimiters, ' ,');
    if (list.type !== 'string' || separators === undefined) return ERROR;
    return run(itemsOf(list.value, separators));
  });

/** Sums numbers; the result is an integer if every item has only digits and signs. */
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

const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The reference starts its search for the maximum at the smallest positive number. */
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

const stringMembership = (fold: Fold): ClassAdFunction =>
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
  ['stringlistsum', overNumbers(realValue(0), total)],
  ['stringlistavg', overNumbers(realValue(0), (numbers) => total(numbers) / numbers.length)],
  ['stringlistmin', overNumbers(UNDEFINED, least)],
  ['stringlistmax', overNumbers(UNDEFINED, greatest)],
  ['stringlistmember', stringMembership(exact)],
  ['stringlistimember', stringMembership(lowerAscii)],
  ['stringlistsubsetmatch', subset(exact)],
  ['stringlistisubsetmatch', subset(lowerAscii)],
]);

export const STRING_LISTS_INTERSECT: ClassAdFunction = intersect;

// split, splitUserName, splitSlotName, and the split of a text into items at delimiters.

const BLANK = ' \t\n\v\f\r';

/**
 * Splits at any of the `delimiters`; removes blanks around an item, and keeps an empty
 * item between two delimiters.
 */
function splitText(text: string, delimiters: string): string[] {
  const items: string[] = [];
  for (let at = 0; ;) {
    while (at < text.length && BLANK.includes(text[at] ?? '')) at += 1;
    if (at >= text.length) return items;
    let end = at;
    while (end < text.length && !delimiters.includes(text[end] ?? '')) end += 1;
    items.push(trimBlanks(text.slice(at, end)));
    at = end + 1;
  }
}

/** {@link splitText} without empty items, as in the stringList functions. */
export const itemsOf = (text: string, delimiters = ' ,'): string[] =>
  splitText(text, delimiters).filter((item) => item !== '');

const split = taking(1, 2, ([text = ERROR, delimiters]) => {
  const separators = optionalString(delimiters, ', \t');
  if (text.type !== 'string' || separators === undefined) return ERROR;
  return listOf(splitText(text.value, separators).map(stringValue));
});

/**
 * Splits at the first `@`; without one the whole text is the first (user) or the second
 * (slot) part.
 */
const splitName = (whole: 'first' | 'second'): ClassAdFunction =>
  taking(1, 1, ([text = ERROR]) => {
    if (text.type !== 'string') return ERROR;
    const name = text.value;
    const at = name.indexOf('@');
    const parts =
      at >= 0
        ? [name.slice(0, at), name.slice(at + 1)]
        : whole === 'first'
          ? [name, '']
          : ['', name];
    return listOf(parts.map(stringValue));
  });

export const SPLIT_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['split', split],
  ['splitusername', splitName('first')],
  ['splitslotname', splitName('second')],
]);
