// What an expression evaluates to, and the few constants that never need to be made
// twice.
import type { AdExpr, Expr } from './ast.ts';

/**
 * An ad at a place: names in `ad` are looked up here, then in `parent`; `other` is the
 * opposite ad of a match.
 */
export interface Scope {
  readonly ad: AdExpr;
  readonly parent: Scope | undefined;
  other?: Scope | undefined;
}

/** A string value; `value` holds one char per byte (see `textOf`). */
export interface StringValue {
  readonly type: 'string';
  readonly value: string;
}

/** A list; its elements are unevaluated expressions that belong to `scope`. */
export interface ListValue {
  readonly type: 'list';
  readonly items: readonly Expr[];
  readonly scope: Scope | undefined;
}

/** An absolute time: epoch seconds, and the offset of its clock from UTC in seconds. */
export interface AbsTimeValue {
  readonly type: 'abstime';
  readonly seconds: number;
  readonly offset: number;
}

/** A relative time in seconds, possibly fractional. */
export interface RelTimeValue {
  readonly type: 'reltime';
  readonly seconds: number;
}

/**
 * The result of an evaluation. Integers are signed 64 bits wide, reals are IEEE doubles.
 */
export type Value =
  | { readonly type: 'undefined' }
  | { readonly type: 'error' }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'integer'; readonly value: bigint }
  | { readonly type: 'real'; readonly value: number }
  | StringValue
  | ListValue
  | { readonly type: 'classad'; readonly scope: Scope }
  | AbsTimeValue
  | RelTimeValue;

export const UNDEFINED: Value = { type: 'undefined' };
export const ERROR: Value = { type: 'error' };
export const TRUE: Value = { type: 'boolean', value: true };
export const FALSE: Value = { type: 'boolean', value: false };

export const booleanValue = (value: boolean): Value => (value ? TRUE : FALSE);
export const stringValue = (value: string): Value => ({ type: 'string', value });
export const realValue = (value: number): Value => ({ type: 'real', value });

/** An integer value, wrapped to 64 bits. */
export const integerValue = (value: bigint | number): Value => ({
  type: 'integer',
  value: BigInt.asIntN(64, BigInt(value)),
});

/** A list of values that are known already. */
export const listOf = (values: readonly Value[]): Value => ({
  type: 'list',
  items: values.map((value): Expr => ({ kind: 'literal', value, shown: value, depth: 1 })),
  scope: undefined,
});

/** Booleans and numbers as conditions; undefined for every other type. */
export function truthOf(value: Value): boolean | undefined {
  switch (value.type) {
    case 'boolean':
      return value.value;
    case 'integer':
      return value.value !== 0n;
    case 'real':
      return value.value !== 0;
    default:
      return undefined;
  }
}
