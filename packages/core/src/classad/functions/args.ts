// Shared by most functions: a fixed number of arguments, evaluated left to right, and
// conversion of values to texts.
import type { Expr } from '../language/ast.ts';
import type { ClassAdFunction, Context } from '../operate/context.ts';
import { valueBytes } from '../print/print.ts';
import { absTimeText, relTimeText } from '../language/time-text.ts';
import { ERROR, UNDEFINED, type ListValue, type Scope, type Value } from '../language/value.ts';

/** A function of evaluated arguments. */
export type ValueFunction = (args: readonly Value[], context: Context, scope: Scope) => Value;

/**
 * Creates a function of `least` to `most` arguments. Any other number is an ERROR,
 * without evaluation.
 */
export function taking(least: number, most: number, run: ValueFunction): ClassAdFunction {
  return (call, scope, context) => {
    if (call.args.length < least || call.args.length > most) return ERROR;
    return run(evaluated(call.args, scope, context), context, scope);
  };
}

export function evaluated(args: readonly Expr[], scope: Scope, context: Context): Value[] {
  return args.map((arg) => context.run(arg, scope, context));
}

/**
 * Returns ERROR if one of the values is, else UNDEFINED if one of them is, else
 * undefined.
 */
export function exceptional(values: readonly Value[]): Value | undefined {
  let found: Value | undefined;
  for (const value of values) {
    if (value.type === 'error') return ERROR;
    if (value.type === 'undefined') found = UNDEFINED;
  }
  return found;
}

/**
 * Returns the text of a value as `string()` does, without the fraction of a relative
 * time; undefined for UNDEFINED and ERROR.
 */
export function stringOf(value: Value): string | undefined {
  switch (value.type) {
    case 'string':
      return value.value;
    case 'undefined':
    case 'error':
      return undefined;
    case 'abstime':
      return absTimeText(value);
    case 'reltime':
      return relTimeText({ ...value, seconds: Math.trunc(value.seconds) });
    default:
      return valueBytes(value);
  }
}

/**
 * Returns the evaluated elements of a list. Like in the reference, their names are those
 * of the ad with the function call, not those of the list's ad.
 */
export function elements(list: ListValue, scope: Scope, context: Context): Value[] {
  return evaluated(list.items, scope, context);
}

/**
 * Returns UNDEFINED if one of the values is, which takes precedence over ERROR in some
 * functions; else undefined.
 */
export function undefinedFirst(values: readonly Value[]): Value | undefined {
  return values.some(({ type }) => type === 'undefined') ? UNDEFINED : undefined;
}

/**
 * Returns an optional string argument: its value, `fallback` if missing, undefined if it
 * is not a string.
 */
export function optionalString(value: Value | undefined, fallback: string): string | undefined {
  if (value === undefined) return fallback;
  return value.type === 'string' ? value.value : undefined;
}
