// Functions on strings: strcat, substr, join ..., regular expressions, and HTCondor's
// texts of environments and arguments.
import {
  lowerAscii,
  upperAscii,
  ERROR,
  UNDEFINED,
  int32,
  integerValue,
  listOf,
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

// envV1ToV2, mergeEnvironment, listToArgs, argsToList: HTCondor's texts of environments
// and arguments.

/**
 * Quotes one argument: encloses blanks and single quotes in single quotes, and doubles
 * quotes.
 */
function quoted(argument: string): string {
  if (argument === '') return "''";
  let text = '';
  for (const char of argument) {
    if (!" \t\n\r'".includes(char)) text += char;
    else
      text = `${text.endsWith("'") ? text.slice(0, -1) : `${text}'`}${char === "'" ? "''" : char}'`;
  }
  return text;
}

/**
 * Splits a text into arguments at blanks outside single quotes; undefined if a quote is
 * not closed.
 */
function argumentsOf(text: string): string[] | undefined {
  const found: string[] = [];
  let current: string | undefined;
  let inQuotes = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === "'") {
      const doubled = inQuotes && text[at + 1] === "'";
      current = (current ?? '') + (doubled ? "'" : '');
      if (doubled) at += 1;
      else inQuotes = !inQuotes;
    } else if (!inQuotes && ' \t\n\r'.includes(char)) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current = (current ?? '') + char;
  }
  if (current !== undefined) found.push(current);
  return inQuotes ? undefined : found;
}

/** Variables by name; one without a value is a macro that is kept as it is. */
type Variables = Map<string, string | undefined>;

/**
 * Adds `NAME=value` or a text with the macro `$$` to `variables`; false for another text.
 */
function assign(variables: Variables, assignment: string): boolean {
  const at = assignment.indexOf('=');
  if (at < 0 && assignment.includes('$$')) {
    variables.set(assignment, undefined);
    return true;
  }
  if (at < 1) return false;
  variables.set(assignment.slice(0, at), assignment.slice(at + 1));
  return true;
}

const environmentText = (variables: Variables): Value =>
  stringValue(
    [...variables]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => quoted(value === undefined ? name : `${name}=${value}`))
      .join(' '),
  );

/** The characters that are the delimiter if a text begins with them. */
const DELIMITERS = '!#$%&*+,-/:;<>?@^`|~\x1f';

const envV1ToV2 = taking(1, 1, ([text = ERROR]) => {
  if (text.type === 'undefined') return UNDEFINED;
  if (text.type !== 'string') return ERROR;
  const first = text.value[0] ?? '';
  const marked = first !== '' && DELIMITERS.includes(first);
  const delimiter = marked ? first : ';';
  const variables: Variables = new Map();
  const assignments = text.value
    .slice(marked ? 1 : 0)
    .split(delimiter)
    .flatMap((part) => part.split('\n'))
    .map((assignment) => assignment.replace(/^[ \t\r]+/, ''))
    .filter((assignment) => assignment !== '');
  return assignments.every((assignment) => assign(variables, assignment))
    ? environmentText(variables)
    : ERROR;
});

const mergeEnvironment = taking(0, Infinity, (args) => {
  const variables: Variables = new Map();
  for (const text of args) {
    if (text.type === 'undefined') continue;
    const assignments = text.type === 'string' ? argumentsOf(text.value) : undefined;
    if (assignments?.every((assignment) => assign(variables, assignment)) !== true) return ERROR;
  }
  return environmentText(variables);
});

/** Returns the optional version argument: 2 by default, 1 for texts without quoting. */
function versionOf(value: Value | undefined): 1 | 2 | undefined {
  if (value === undefined) return 2;
  if (value.type !== 'integer') return undefined;
  return value.value === 1n ? 1 : value.value === 2n ? 2 : undefined;
}

const listToArgs = taking(1, 2, ([list = ERROR, version], context, scope) => {
  const syntax = versionOf(version);
  if (list.type !== 'list' || syntax === undefined) return ERROR;
  const texts: string[] = [];
  for (const value of elements(list, scope, context)) {
    if (value.type !== 'string' || (syntax === 1 && /[ \t\n\r]/.test(value.value))) return ERROR;
    texts.push(syntax === 1 ? value.value : quoted(value.value));
  }
  return stringValue(
    context.bounded(texts.reduce((line, text) => line + (line && ' ') + text, '')),
  );
});

const argsToList = taking(1, 2, ([text = ERROR, version]) => {
  const syntax = versionOf(version);
  if (text.type !== 'string' || syntax === undefined) return ERROR;
  const words = text.value.split(/[ \t\n\r]+/).filter((word) => word !== '');
  const found = syntax === 1 ? words : argumentsOf(text.value);
  return found === undefined ? ERROR : listOf(found.map(stringValue));
});

export const ENVIRONMENT_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['envv1tov2', envV1ToV2],
  ['mergeenvironment', mergeEnvironment],
  ['listtoargs', listToArgs],
  ['argstolist', argsToList],
]);
