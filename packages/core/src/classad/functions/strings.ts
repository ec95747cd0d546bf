// strcat, substr, strcmp, toUpper, join ...: functions on strings.
import {
  lowerAscii,
  upperAscii,
  ERROR,
  UNDEFINED,
  int32,
  integerValue,
  stringValue,
  type Value,
  booleanValue,
  TRUE,
} from '../language/value.ts';
import type { ClassAdFunction, FunctionTable } from '../operate/context.ts';
import { elements, exceptional, optionalString, stringOf, taking, undefinedFirst } from './args.ts';
import { compile, matches, substitute } from '../../regexp/regexp.ts';
import { itemsOf } from './lists.ts';

/** Joins the texts of all arguments. The first UNDEFINED or ERROR is the result. */
const strcat: ClassAdFunction = (call, scope, context) => {
  let text = '';
  for (const arg of call.args) {
    const value = context.run(arg, scope, context);
    const part = stringOf(value);
    if (part === undefined) return value;
    text += part;
  }
  return stringValue(context.bounded(text));
};

/**
 * Offset and length in bytes; a negative offset counts from the end, a negative length
 * omits that many bytes.
 */
function substr(args: readonly Value[]): Value {
  const found = undefinedFirst(args);
  if (found !== undefined) return found;
  const [text, offset, length] = args;
  if (text?.type !== 'string' || offset?.type !== 'integer') return ERROR;
  if (length !== undefined && length.type !== 'integer') return ERROR;
  const size = text.value.length;
  const at = int32(offset.value);
  const from = at < 0 ? Math.max(size + at, 0) : Math.min(at, size);
  const wanted = length === undefined ? size : int32(length.value);
  const to = wanted < 0 ? size + wanted : Math.min(from + wanted, size);
  return stringValue(to > from ? text.value.slice(from, to) : '');
}

const comparing = (fold: (text: string) => string) =>
  taking(2, 2, (args) => {
    const [a, b] = args.map(stringOf);
    if (a === undefined || b === undefined) return undefinedFirst(args) ?? ERROR;
    const [left, right] = [fold(a), fold(b)];
    return integerValue(left === right ? 0 : left < right ? -1 : 1);
  });

const mapping = (map: (text: string) => string) =>
  taking(1, 1, (args) => exceptional(args) ?? stringValue(map(stringOf(args[0] ?? ERROR) ?? '')));

function size([value = ERROR]: readonly Value[]): Value {
  switch (value.type) {
    case 'string':
      return integerValue(value.value.length);
    case 'list':
      return integerValue(value.items.length);
    case 'classad':
      return integerValue(value.scope.ad.entries.size);
    default:
      return value.type === 'undefined' ? UNDEFINED : ERROR;
  }
}

/**
 * `join(separator, list)`, `join(separator, value...)` or `join(list)`. UNDEFINED is an
 * empty separator, and no element; if it is all that there is, it is the result.
 */
const join = taking(0, Infinity, (args, context, scope) => {
  const last = args.length <= 2 ? args.at(-1) : undefined;
  const values =
    last?.type === 'list'
      ? [
          args.length === 2 ? (args[0] ?? ERROR) : stringValue(''),
          ...elements(last, scope, context),
        ]
      : args;
  if (values.some(({ type }) => type === 'error')) return ERROR;
  const [separator = '', ...parts] = values.map(stringOf);
  const present = parts.filter((part) => part !== undefined);
  if (present.length === 0) return undefinedFirst(values) ?? stringValue('');
  return stringValue(context.bounded(joined(present, separator)));
});

/** Like in the reference, no separator stands before the first text that is not empty. */
function joined(parts: readonly string[], separator: string): string {
  const first = parts.findIndex((part) => part !== '');
  return first < 0 ? '' : parts.slice(first).join(separator);
}

export const STRING_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['strcat', strcat],
  ['substr', taking(2, 3, substr)],
  ['strcmp', comparing((text) => text)],
  ['stricmp', comparing(lowerAscii)],
  ['tolower', mapping(lowerAscii)],
  ['toupper', mapping(upperAscii)],
  ['size', taking(1, 1, size)],
  ['join', join],
]);

// versioncmp, versionLT ..., version_in_range: comparison of texts as versions.

/**
 * Compares two texts like C's `strverscmp`: digit runs by value, runs with leading zeros
 * as fractions. The number says what differs, as in the reference: lengths or bytes.
 */
function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const start = at - (/\d*$/.exec(a.slice(0, at))?.[0].length ?? 0);
  const bytes = byteAt(a, at) - byteAt(b, at);
  const [left, right] = [a, b].map((text) => /^\d*/.exec(text.slice(start))?.[0] ?? '');
  if (start === at && (left === '' || right === '')) return bytes;
  const zeros = leadingZeros(left ?? '');
  const difference = leadingZeros(right ?? '') - zeros;
  if (difference !== 0) return difference;
  return zeros > 0 ? bytes : (left?.length ?? 0) - (right?.length ?? 0) || bytes;
}

/** The byte at `at` as C's signed char; 0 at the end. */
const byteAt = (text: string, at: number): number =>
  at < text.length ? (text.charCodeAt(at) << 24) >> 24 : 0;

/** The zeros before the last digit of a run. */
const leadingZeros = (digits: string): number => /^0*(?=\d)/.exec(digits)?.[0].length ?? 0;

const comparingVersions =
  (decide: (order: number) => boolean): ClassAdFunction =>
  (call, scope, context) => {
    const order = versionOrder(call, scope, context);
    return order.type === 'integer' ? booleanValue(decide(Number(order.value))) : order;
  };

const versionOrder = taking(2, 2, (args) => {
  const [a, b] = args.map(stringOf);
  if (a === undefined || b === undefined) return undefinedFirst(args) ?? ERROR;
  return integerValue(compareVersions(a, b));
});

const inRange = taking(3, 3, (args) => {
  const [version, least, most] = args.map(stringOf);
  if (least === undefined || most === undefined) return undefinedFirst(args.slice(1)) ?? ERROR;
  if (version === undefined) return ERROR;
  return booleanValue(compareVersions(least, version) <= 0 && compareVersions(version, most) <= 0);
});

export const VERSION_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['versioncmp', versionOrder],
  ['versionle', comparingVersions((order) => order <= 0)],
  ['versionlt', comparingVersions((order) => order < 0)],
  ['versionge', comparingVersions((order) => order >= 0)],
  ['versiongt', comparingVersions((order) => order > 0)],
  ['versioneq', comparingVersions((order) => order === 0)],
  ['version_in_range', inRange],
]);

// regexp, regexpMember, regexps, replace, replaceall, stringList_regexpMember.

const answer = (matched: boolean | undefined): Value =>
  matched === undefined ? ERROR : booleanValue(matched);

const regexp = taking(2, 3, (args, { matching }) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [pattern, target, options] = args;
  const flags = optionalString(options, '');
  if (pattern?.type !== 'string' || target?.type !== 'string' || flags === undefined) return ERROR;
  return answer(matches(pattern.value, target.value, flags, matching));
});

/**
 * TRUE if an element matches; else UNDEFINED if an element is UNDEFINED. A malformed
 * pattern matches nothing.
 */
const regexpMember = taking(2, 3, (args, context, scope) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [pattern, list, options] = args;
  const flags = optionalString(options, '');
  if (pattern?.type !== 'string' || list?.type !== 'list' || flags === undefined) return ERROR;
  let result: Value = booleanValue(false);
  for (const item of list.items) {
    const element = context.attempt(item, scope) ?? ERROR;
    if (element.type === 'undefined') result = UNDEFINED;
    else if (element.type !== 'string') return ERROR;
    else if (matches(pattern.value, element.value, flags, context.matching) === true) return TRUE;
  }
  return result;
});

const replacing = (always: string): ClassAdFunction =>
  taking(3, 4, (args, context) => {
    const found = exceptional(args);
    if (found !== undefined) return found;
    const [pattern, target, replacement, options] = args;
    const flags = optionalString(options, '');
    if (pattern?.type !== 'string' || target?.type !== 'string') return ERROR;
    if (replacement?.type !== 'string' || flags === undefined) return ERROR;
    const text = substitute(
      pattern.value,
      target.value,
      replacement.value,
      always + flags,
      context.matching,
    );
    return text === undefined ? ERROR : stringValue(context.bounded(text));
  });

/** Options may be in upper case, too. UNDEFINED if there are no items. */
const stringListRegexpMember = taking(
  2,
  4,
  ([pattern, list, delimiters, options], { limits, matching }) => {
    const separators = optionalString(delimiters, ' ,');
    const flags = optionalString(options, '');
    if (pattern?.type !== 'string' || list?.type !== 'string') return ERROR;
    if (separators === undefined || flags === undefined) return ERROR;
    const lower = flags.toLowerCase();
    if (compile(pattern.value, lower, limits) === undefined) return ERROR;
    const items = itemsOf(list.value, separators);
    if (items.length === 0) return UNDEFINED;
    return booleanValue(
      items.some((item) => matches(pattern.value, item, lower, matching) === true),
    );
  },
);

export const REGEXP_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['regexp', regexp],
  ['regexpmember', regexpMember],
  ['regexps', replacing('')],
  ['replace', replacing('f')],
  ['replaceall', replacing('fg')],
]);

export const STRING_LIST_REGEXP_MEMBER: ClassAdFunction = stringListRegexpMember;
