// The values of expressions, shared constants, and strings: ClassAd strings are bytes,
// kept as JavaScript text with one char for each byte.
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

const ASCII_ONLY = /^[^\u0080-\uffff]*$/;

/**
 * Returns the UTF-8 bytes of `text`, one char (U+0000..U+00FF) for each byte. A lone
 * surrogate U+DC80..U+DCFF is the single byte 0x80..0xFF, so that {@link textOf} is the
 * inverse for arbitrary bytes.
 */
export function bytesOf(text: string): string {
  if (ASCII_ONLY.test(text)) return text;
  let bytes = '';
  for (const char of text) bytes += encodePoint(char.codePointAt(0) ?? 0);
  return bytes;
}

function encodePoint(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point >= 0xdc80 && point <= 0xdcff) return String.fromCharCode(point - 0xdc00);
  const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), tail(code));
  if (code < 0x10000) return String.fromCharCode(0xe0 | (code >> 12), tail(code >> 6), tail(code));
  return String.fromCharCode(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code));
}

const tail = (code: number): number => 0x80 | (code & 0x3f);

/**
 * Returns the text of a byte string; a byte that is not part of valid UTF-8 becomes
 * U+DC00 + byte.
 */
export function textOf(bytes: string): string {
  if (ASCII_ONLY.test(bytes)) return bytes;
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    const lead = bytes.charCodeAt(at);
    if (length === 0) text += String.fromCharCode(0xdc00 + lead);
    else if (length === 1) text += String.fromCharCode(lead);
    else text += decode(bytes, at, length, lead);
    at += length || 1;
  }
  return text;
}

function decode(bytes: string, at: number, length: number, lead: number): string {
  let point = lead & (0x7f >> length);
  for (let i = 1; i < length; i += 1) point = (point << 6) | (bytes.charCodeAt(at + i) & 0x3f);
  return String.fromCodePoint(point);
}

/**
 * Returns the length of the valid UTF-8 sequence at `at`, 0 if there is none (overlong,
 * surrogate, incomplete, stray byte).
 */
function sequenceLength(bytes: string, at: number): number {
  const lead = bytes.charCodeAt(at);
  if (lead < 0x80) return 1;
  const length = lead >= 0xf5 || lead < 0xc2 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  for (let i = 1; i < length; i += 1) if ((bytes.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  const second = bytes.charCodeAt(at + 1);
  const refused =
    (lead === 0xe0 && second < 0xa0) ||
    (lead === 0xed && second > 0x9f) ||
    (lead === 0xf0 && second < 0x90) ||
    (lead === 0xf4 && second > 0x8f);
  return refused ? 0 : length;
}

/** Converts to ASCII lower case; keeps other bytes, like in the C locale. */
export function lowerAscii(bytes: string): string {
  return ASCII_ONLY.test(bytes)
    ? bytes.toLowerCase()
    : bytes.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** Converts to ASCII upper case; keeps other bytes, like in the C locale. */
export function upperAscii(bytes: string): string {
  return ASCII_ONLY.test(bytes)
    ? bytes.toUpperCase()
    : bytes.replace(/[a-z]+/g, (run) => run.toUpperCase());
}

const isBlank = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/**
 * Removes the C locale's blanks at both ends of `text`, in linear time, unlike a regular
 * expression for the end.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
