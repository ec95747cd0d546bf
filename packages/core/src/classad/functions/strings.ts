// strcat, substr, strcmp, toUpper, join ...: functions on strings.
import { lowerAscii, upperAscii } from '../language/bytes.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import {
  ERROR,
  UNDEFINED,
  integerValue,
  stringValue,
  type Scope,
  type Value,
  booleanValue,
  TRUE,
} from '../language/value.ts';
import { elements, evaluated, exceptional, stringOf, taking, optionalString } from './args.ts';
import { compile, matches, substitute } from '../../regexp/regexp.ts';
import { itemsOf } from './lists.ts';

/** Joins the texts of all arguments; an ERROR takes precedence over an UNDEFINED. */
const strcat: ClassAdFunction = (call, scope, context) => {
  let text = '';
  let undefinedSeen = false;
  for (const arg of call.args) {
    const value = context.run(arg, scope, context);
    if (value.type === 'string') text += value.value;
    else if (value.type === 'error') return ERROR;
    else if (value.type === 'undefined') undefinedSeen = true;
    else text += stringOf(value) ?? '';
  }
  return undefinedSeen ? UNDEFINED : stringValue(context.bounded(text));
};

/**
 * Offset and length in bytes; a negative offset counts from the end, a negative length
 * omits that many bytes.
 */
function substr(args: readonly Value[]): Value {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [text, offset, length] = args;
  if (text?.type !== 'string' || offset?.type !== 'integer') return ERROR;
  if (length !== undefined && length.type !== 'integer') return ERROR;
  const size = text.value.length;
  const at = Number(offset.value);
  const from = at < 0 ? Math.max(size + at, 0) : Math.min(at, size);
  const wanted = length === undefined ? size : Number(length.value);
  const to = wanted < 0 ? size + wanted : Math.min(from + wanted, size);
  return stringValue(to > from ? text.value.slice(from, to) : '');
}

const comparing = (fold: (text: string) => string) =>
  taking(2, 2, (args) => {
    const found = exceptional(args);
    if (found !== undefined) return found;
    const [a = '', b = ''] = args.map((value) => fold(stringOf(value) ?? ''));
    return integerValue(a === b ? 0 : a < b ? -1 : 1);
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
 * `join(separator, list)`, `join(separator, value...)` or `join(list)`; omits UNDEFINED
 * elements of a list.
 */
const join: ClassAdFunction = (call, scope, context) => {
  if (call.args.length === 0) return ERROR;
  const [first = ERROR, ...rest] = evaluated(call.args, scope, context);
  if (rest.length === 0 && first.type === 'list')
    return joined('', elements(first, scope, context), context);
  const found = exceptional([first]);
  if (found !== undefined) return found;
  const separator = stringOf(first) ?? '';
  const [only] = rest;
  if (rest.length === 1 && only !== undefined) return joinSecond(separator, only, scope, context);
  return joined(separator, rest, context);
};

function joinSecond(separator: string, only: Value, scope: Scope, context: Context): Value {
  if (only.type === 'list') return joined(separator, elements(only, scope, context), context);
  return exceptional([only]) ?? stringValue(stringOf(only) ?? '');
}

function joined(separator: string, values: readonly Value[], context: Context): Value {
  const present = values.filter(({ type }) => type !== 'undefined');
  if (exceptional(present) !== undefined) return ERROR;
  return stringValue(
    context.bounded(present.map((value) => stringOf(value) ?? '').join(separator)),
  );
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

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/**
 * Compares two texts like glibc's `strverscmp`: digit runs by value, runs with leading
 * zeros as fractions. Only the sign of the result is significant.
 */
function compareVersions(a: string, b: string): number {
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

const comparingVersions = (decide: (order: number) => boolean): ClassAdFunction =>
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

/** TRUE if an element matches; else UNDEFINED if an element is UNDEFINED. */
const regexpMember = taking(2, 3, (args, context, scope) => {
  const found = exceptional(args);
  if (found !== undefined) return found;
  const [pattern, list, options] = args;
  const flags = optionalString(options, '');
  if (pattern?.type !== 'string' || list?.type !== 'list' || flags === undefined) return ERROR;
  if (compile(pattern.value, flags, context.limits) === undefined) return ERROR;
  let result: Value = booleanValue(false);
  for (const element of elements(list, scope, context)) {
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

const stringListRegexpMember = taking(
  2,
  4,
  ([pattern, list, delimiters, options], { limits, matching }) => {
    const separators = optionalString(delimiters, ' ,');
    const flags = optionalString(options, '');
    if (pattern?.type !== 'string' || list?.type !== 'string') return ERROR;
    if (separators === undefined || flags === undefined) return ERROR;
    if (compile(pattern.value, flags, limits) === undefined) return ERROR;
    return booleanValue(
      itemsOf(list.value, separators).some(
        (item) => matches(pattern.value, item, flags, matching) === true,
      ),
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
