// envV1ToV2, mergeEnvironment, listToArgs, argsToList: HTCondor's texts of environments
// and arguments.
import { failEvaluation, type ClassAdFunction, type FunctionTable } from '../operate/context.ts';
import {
  ERROR,
  UNDEFINED,
  listOf,
  stringValue,
  type Value,
  bytesOf,
  lowerAscii,
  textOf,
} from '../language/value.ts';
import { elements, taking } from './args.ts';
import { itemsOf } from './lists.ts';

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

// userMap and userHome: lookups in the caller's maps and user database.

/**
 * `userMap(map, input)` is the mapped text. With a third argument: that item if the text
 * lists it, else the first item. The fourth argument is the result if the map has none.
 */
export const userMap: ClassAdFunction = taking(2, 4, (args, context) => {
  const [map = ERROR, input = ERROR, preferred, fallback = UNDEFINED] = args;
  if (map.type === 'error' || input.type === 'error') return ERROR;
  if (map.type !== 'string' || input.type !== 'string') return fallback;
  const mapped = context.world.userMap?.(map.value, input.value, context.matching);
  if (mapped === undefined) return fallback;
  if (preferred === undefined) return stringValue(mapped);
  const items = itemsOf(mapped, ',');
  const wanted = preferred.type === 'string' ? lowerAscii(preferred.value) : undefined;
  const chosen = items.find((item) => lowerAscii(item) === wanted) ?? items[0];
  return chosen === undefined ? fallback : stringValue(chosen);
});

/**
 * `userHome(name)` is the user's home directory; the second argument, if it is a text, is
 * the result if there is none.
 */
export const userHome: ClassAdFunction = ({ args }, scope, context) => {
  const [first, second] = args;
  if (first === undefined || args.length > 2) failEvaluation();
  const wanted = second === undefined ? undefined : context.attempt(second, scope);
  const fallback = wanted?.type === 'string' && wanted.value !== '' ? wanted : undefined;
  const name = context.attempt(first, scope) ?? UNDEFINED;
  if (name.type === 'undefined') return fallback ?? UNDEFINED;
  if (name.type !== 'string') return fallback ?? ERROR;
  const home = context.world.userHome?.(textOf(name.value));
  return home === undefined ? (fallback ?? UNDEFINED) : stringValue(bytesOf(home));
};
