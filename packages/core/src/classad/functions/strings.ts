// strcat, substr, strcmp, toUpper, join ...: functions on strings.
import { lowerAscii, upperAscii } from '../language/bytes.ts';
import type { ClassAdFunction, Context, FunctionTable } from '../operate/context.ts';
import { ERROR, UNDEFINED, integerValue, stringValue } from '../language/value.ts';
import type { Scope, Value } from '../language/value.ts';
import { elements, evaluated, exceptional, stringOf, taking } from './args.ts';

/** Joins the texts of all arguments; an ERROR among them wins over an UNDEFINED. */
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
 * leaves that many bytes out.
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
 * `join(separator, list)`, `join(separator, value...)` or `join(list)`; UNDEFINED
 * elements of a list are left out.
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
