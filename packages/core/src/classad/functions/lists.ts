// member, anyCompare, sum ... : functions on lists.
import type { ComparisonOperator, IdentityOperator } from '../language/ast.ts';
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { binary } from '../operate/strict-operators.ts';
import {
  ERROR,
  FALSE,
  TRUE,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
  type Value,
  listOf,
  stringValue,
  lowerAscii,
  trimBlanks,
} from '../language/value.ts';
import { elements, exceptional, taking, optionalString } from './args.ts';
import { leadingNumber, truncated } from '../language/number-text.ts';

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
const membership = (operator: '==' | '=?='): ClassAdFunction =>
  taking(2, 2, ([item = ERROR, list = ERROR], context, scope) => {
    const exact = operator === '=?=';
    if (list.type === 'undefined' || (!exact && item.type === 'undefined')) return UNDEFINED;
    if (list.type !== 'list' || item.type === 'list' || item.type === 'classad') return ERROR;
    if (!exact && item.type === 'error') return ERROR;
    return booleanValue(
      elements(list, scope, context).some((element) => binary(operator, element, item) === TRUE),
    );
  });

/**
 * `anyCompare` (decided by TRUE) and `allCompare` (decided by the first element that is
 * not TRUE). An UNDEFINED comparison ends both with FALSE.
 */
const comparing = (any: boolean): ClassAdFunction =>
  taking(3, 3, ([operator = ERROR, list = ERROR, scalar = ERROR], context, scope) => {
    if (operator.type === 'undefined') return UNDEFINED;
    const known = operator.type === 'string' ? OPERATORS.get(operator.value) : undefined;
    if (known === undefined) return ERROR;
    if (list.type === 'undefined') return UNDEFINED;
    if (list.type !== 'list') return ERROR;
    for (const element of elements(list, scope, context)) {
      const result = binary(known, element, scalar);
      if (result.type === 'error') return ERROR;
      if (result.type === 'undefined') return FALSE;
      if ((result === TRUE) === any) return booleanValue(any);
    }
    return booleanValue(!any);
  });

/** Applies `run` to the numbers of a list, with booleans and without UNDEFINED. */
const aggregate = (run: (values: readonly Value[]) => Value): ClassAdFunction =>
  taking(1, 1, ([list = ERROR], context, scope) => {
    if (list.type === 'undefined') return UNDEFINED;
    if (list.type !== 'list') return ERROR;
    const values = elements(list, scope, context).filter(({ type }) => type !== 'undefined');
    return values.every(isNumber) ? run(values) : ERROR;
  });

const isNumber = ({ type }: Value): boolean =>
  type === 'integer' || type === 'real' || type === 'boolean';

/** A single value keeps its type. */
const sum = ([first, ...rest]: readonly Value[]): Value =>
  first === undefined
    ? integerValue(0)
    : rest.reduce((total, value) => binary('+', total, value), first);

const average = (values: readonly Value[]): Value =>
  values.length === 0 ? integerValue(0) : binary('/', sum(values), realValue(values.length));

/** A comparison makes a real of a number next to a real, and an integer of a boolean. */
const extreme =
  (operator: '<' | '>') =>
  (values: readonly Value[]): Value => {
    const [first, ...rest] = values;
    if (first === undefined || rest.length === 0) return first ?? UNDEFINED;
    const best = rest.reduce(
      (found, value) => (binary(operator, value, found) === TRUE ? value : found),
      first,
    );
    const number = 'value' in best ? Number(best.value) : 0;
    if (values.some(({ type }) => type === 'real')) return realValue(number);
    return best.type === 'boolean' ? integerValue(number) : best;
  };

export const LIST_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['member', membership('==')],
  ['identicalmember', membership('=?=')],
  ['anycompare', comparing(true)],
  ['allcompare', comparing(false)],
  ['sum', aggregate(sum)],
  ['avg', aggregate(average)],
  ['min', aggregate(extreme('<'))],
  ['max', aggregate(extreme('>'))],
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

/**
 * The reference starts its search for the maximum at the least positive 32-bit real, and
 * that for the minimum at the greatest one.
 */
const LEAST_POSITIVE = 2 ** -126;
const GREATEST = (2 - 2 ** -23) * 2 ** 127;
const greatest = (numbers: readonly number[]): number =>
  numbers.reduce((best, number) => (number > best ? number : best), LEAST_POSITIVE);
const least = (numbers: readonly number[]): number =>
  numbers.reduce((best, number) => (number < best ? number : best), GREATEST);

/** The default delimiters of the functions with two lists. */
const MEMBER_BREAKS = ', \t\r\n';

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
    const separators =
      delimiters?.type === 'undefined' ? MEMBER_BREAKS : optionalString(delimiters, MEMBER_BREAKS);
    if (a === undefined || b === undefined || separators === undefined) return ERROR;
    return booleanValue(run(a, b, separators));
  });

const textOrEmpty = (value: Value): string | undefined =>
  value.type === 'undefined' ? '' : optionalString(value, '');

const stringMembership = (fold: Fold): ClassAdFunction =>
  overTwo((item, list, delimiters) =>
    itemsOf(list, delimiters).some((one) => fold(one) === fold(item)),
  );

/** An empty part is a subset; one without items, such as a blank, is not. */
const subset = (fold: Fold): ClassAdFunction =>
  overTwo((part, list, delimiters) => {
    if (part === '') return true;
    const items = itemsOf(part, delimiters);
    const whole = new Set(itemsOf(list, delimiters).map(fold));
    return items.length > 0 && items.every((item) => whole.has(fold(item)));
  });

/** Blanks around an item belong to it, and no delimiters are the default ones. */
const intersect = taking(2, 3, (args) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [first, second, delimiters] = args;
  const separators = optionalString(delimiters, '');
  if (first?.type !== 'string' || second?.type !== 'string' || separators === undefined)
    return ERROR;
  const [a = [], b = []] = [first, second].map(({ value }) => pieces(value, separators || ' ,'));
  const items = new Set(a);
  return booleanValue(b.some((item) => items.has(item)));
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

/** Cuts a text at every delimiter; empty pieces are left out. */
function pieces(text: string, delimiters: string): string[] {
  const found: string[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    const start = at;
    while (at < text.length && !delimiters.includes(text[at] ?? '')) at += 1;
    if (at > start) found.push(text.slice(start, at));
  }
  return found;
}

/** The items of a list in a text: without blanks around them, and not empty. */
export const itemsOf = (text: string, delimiters = ' ,'): string[] =>
  pieces(text, delimiters)
    .map(trimBlanks)
    .filter((item) => item !== '');

/**
 * Splits at each delimiter. A delimiter directly after another one, or at the start, gives
 * an empty item only if it is the same as the last delimiter that is not a blank.
 */
function splitText(text: string, delimiters: string): string[] {
  const items: string[] = [];
  let repeated = '';
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (!delimiters.includes(char)) continue;
    if (at > start || char === repeated) items.push(text.slice(start, at));
    if (trimBlanks(char) !== '') repeated = char;
    start = at + 1;
  }
  if (start < text.length) items.push(text.slice(start));
  return items;
}

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
