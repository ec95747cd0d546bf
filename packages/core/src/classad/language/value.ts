// The values of expressions, and shared constants.
import type { AdExpr, Expr, LiteralExpr } from './ast.ts';

/**
 * An ad with its context: names are looked up in `ad`, then in `parent`. Names that are
 * not found are looked up in `alternate`, the other ad of a match.
 */
export interface Scope {
  readonly ad: AdExpr;
  readonly parent: Scope | undefined;
  readonly alternate?: Scope | undefined;
}

/** A string value; `value` has one char for each byte (see `textOf`). */
export interface StringValue {
  readonly type: 'string';
  readonly value: string;
}

/**
 * A list; its elements are unevaluated expressions that belong to `scope`. `made`: a
 * function has created it, which `=?=` and `=!=` can see.
 */
export interface ListValue {
  readonly type: 'list';
  readonly items: readonly Expr[];
  readonly scope: Scope | undefined;
  readonly made?: boolean;
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

/** The result of an evaluation. Integers are signed 64-bit, reals are IEEE doubles. */
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

/** Creates an integer value, wrapped to 64 bits. */
export const integerValue = (value: bigint | number): Value => ({
  type: 'integer',
  value: BigInt.asIntN(64, BigInt(value)),
});

/** Returns the low 32 bits, signed, which is how the reference reads some arguments. */
export const int32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Creates a constant. */
export const literalOf = (value: Value): LiteralExpr => ({
  kind: 'literal',
  value,
  shown: value,
  depth: 1,
});

/** Creates the list that a function returns. */
export const listOf = (values: readonly Value[]): Value => ({
  type: 'list',
  items: values.map(literalOf),
  scope: undefined,
  made: true,
});

/** Converts booleans and numbers to conditions; undefined for other types. */
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
