// int, real, bool, string: conversions between types.
import type { FunctionTable } from '../operate/context.ts';
import { leadingNumber, truncated } from '../language/number-text.ts';
import {
  ERROR,
  FALSE,
  TRUE,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
  stringValue,
  type Value,
} from '../language/value.ts';
import { exceptional, stringOf, taking } from './args.ts';

/**
 * Converts a value to a real: numbers, booleans, times in whole seconds, and strings that
 * start with a number.
 */
export function realOf(value: Value): number | undefined {
  switch (value.type) {
    case 'integer':
    case 'boolean':
      return Number(value.value);
    case 'real':
      return value.value;
    case 'string':
      return leadingNumber(value.value);
    case 'abstime':
      return value.seconds;
    case 'reltime':
      return Math.trunc(value.seconds) + 0;
    default:
      return undefined;
  }
}

function toInteger(value: Value): Value {
  if (value.type === 'integer') return value;
  const real = realOf(value);
  return real === undefined ? ERROR : integerValue(truncated(real));
}

function toReal(value: Value): Value {
  const real = realOf(value);
  return real === undefined ? ERROR : realValue(real);
}

/** Of strings, only `true` and `false` in any case are booleans; others are UNDEFINED. */
function toBoolean(value: Value): Value {
  if (value.type === 'string') {
    const word = value.value.toLowerCase();
    return word === 'true' ? TRUE : word === 'false' ? FALSE : UNDEFINED;
  }
  if (value.type === 'boolean') return value;
  if (value.type === 'abstime') return ERROR;
  const real = realOf(value);
  return real === undefined ? ERROR : booleanValue(real !== 0);
}

const toText = (value: Value): Value => stringValue(stringOf(value) ?? '');

const converting = (convert: (value: Value) => Value) =>
  taking(1, 1, (args) => exceptional(args) ?? convert(args[0] ?? ERROR));

export const CONVERT_FUNCTIONS: FunctionTable = new Map([
  ['int', converting(toInteger)],
  ['real', converting(toReal)],
  ['bool', converting(toBoolean)],
  ['string', converting(toText)],
]);
