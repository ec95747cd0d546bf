// Conversion of texts and of the arguments of function macros to booleans, numbers, sizes
// and durations, by HTCondor's rules.
import type { Expansion } from './expansion.ts';
import type { EvaluateExpression, ExpressionValue } from './conditions.ts';
import { trim } from './text.ts';

/** A number or word at the front decides when the whole text is not an expression. */
const FRONT = /^(?:(?<yes>true|1)|false|0)/i;

/**
 * Parses a boolean: `true`, `false`, `1`, `0`, or an expression whose value is a boolean
 * or number. Where the text is neither, one of these words or digits at its start
 * decides. `yes`, `on` etc. are not booleans. Returns `undefined` for other texts.
 */
export function parseBoolean(text: string, evaluate: EvaluateExpression): boolean | undefined {
  const front = FRONT.exec(text);
  const start = front ? front.groups?.['yes'] !== undefined : undefined;
  if (front && trim(text.slice(front[0].length)) === '') return start;
  const value = evaluate(text);
  if (value?.kind === 'boolean') return value.value;
  const number = toReal(value);
  return number === undefined ? start : number !== 0;
}

/**
 * Parses an integer: decimal digits, or an expression whose value is a number, which is
 * truncated. The nearest 64-bit integer stands for digits out of range.
 */
export function parseInteger(text: string, evaluate: EvaluateExpression): bigint | undefined {
  const plain = trim(text);
  return /^[-+]?\d+$/.test(plain) ? saturated(plain) : toInteger(evaluate(plain));
}

/** Converts digits with an optional sign to the nearest 64-bit integer. */
export function saturated(digits: string): bigint {
  const value = BigInt(digits.replace('+', ''));
  if (value === BigInt.asIntN(64, value)) return value;
  return value < 0n ? -(2n ** 63n) : 2n ** 63n - 1n;
}

/** The numbers of C's strtod; a binary exponent follows hexadecimal digits. */
const DECIMAL = /((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/.source;
const HEXADECIMAL = /0x([\da-f]*)\.?([\da-f]*)(?:p([-+]?\d+))?/.source;
const REAL = new RegExp(
  `^([-+]?)(?:${DECIMAL}|${HEXADECIMAL}|(inf|infinity)|(nan)(?:\\(\\w*\\))?)$`,
  'i',
);

/**
 * Parses a real number: a decimal or hexadecimal one, `inf` or `nan`, or an expression
 * whose value is a number.
 */
export function parseReal(text: string, evaluate: EvaluateExpression): number | undefined {
  const plain = trim(text);
  const [all, sign, decimal, whole = '', fraction = '', power, infinite, nan] =
    REAL.exec(plain) ?? [];
  const digits = whole + fraction;
  const isHex = decimal === undefined && infinite === undefined && nan === undefined;
  if (all === undefined || (isHex && digits === '')) return toReal(evaluate(plain));
  const factor = sign === '-' ? -1 : 1;
  if (nan !== undefined) return NaN;
  if (infinite !== undefined) return factor * Infinity;
  if (decimal !== undefined) return factor * Number(decimal);
  return factor * Number(`0x${digits}`) * 2 ** (Number(power ?? 0) - 4 * fraction.length);
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** A number with a unit: bytes or seconds. */
export type Amount =
  { readonly bytes: number } | { readonly seconds: number } | { readonly plain: number };

/**
 * Parses a number with an optional unit: `b`, `K[b]`, `M[b]`, `G[b]`, `T[b]` (also `KiB`
 * etc.) for bytes,
 * `s`, `min` or `m`, `h[r]`, `d[ay]`, `w[eek]` for times. Only the single letter `m` is
 * case-sensitive: `M` is a megabyte. Without a unit the number may be an expression.
 */
export function parseAmount(text: string, evaluate: EvaluateExpression): Amount | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(text);
  if (!match) {
    const value = parseReal(text, evaluate);
    return value === undefined ? undefined : { plain: value };
  }
  const count = Number(match[1]);
  const unit = match[2] ?? '';
  if (unit === '') return { plain: count };
  const seconds = SECONDS[timeUnit(unit)];
  if (seconds !== undefined) return { seconds: count * seconds };
  const bytes = /^(?:[kmgt](?:i?b)?|b)$/i.test(unit)
    ? BYTES[unit.toLowerCase().replace(/(?<=.)i?b$/, '')]
    : undefined;
  return bytes === undefined ? undefined : { bytes: count * bytes };
}

function timeUnit(unit: string): string {
  if (unit === 'm') return 'min';
  const word = unit.toLowerCase();
  if (/^(?:s|secs?|seconds?)$/.test(word)) return 's';
  if (/^(?:mins?|minutes?)$/.test(word)) return 'min';
  if (/^(?:h|hrs?|hours?)$/.test(word)) return 'h';
  if (/^(?:d|days?)$/.test(word)) return 'd';
  return /^(?:w|weeks?)$/.test(word) ? 'w' : '';
}

/**
 * Returns the expanded value of the knob of this name; the text itself if there is no
 * such knob. An empty knob is empty.
 */
export function valueOf(text: string, expansion: Expansion): string {
  const raw = expansion.context.lookup(text);
  return raw === undefined ? text : expansion.nested(raw);
}

/** Splits a text at the first comma. */
export function splitFirst(body: string): readonly [string, string | undefined] {
  const comma = body.indexOf(',');
  return comma < 0 ? [body, undefined] : [body.slice(0, comma), body.slice(comma + 1)];
}

/**
 * Converts a value to an integer as `$INT` and the integer knobs do: truncates reals, and
 * counts booleans as 1 and 0.
 */
export function toInteger(value: ExpressionValue | undefined): bigint | undefined {
  switch (value?.kind) {
    case 'integer':
      return value.value;
    case 'boolean':
      return value.value ? 1n : 0n;
    case 'real':
      return truncated(value.value);
    default:
      return undefined;
  }
}

/** A real that is no 64-bit integer becomes the least one, as on x86. */
function truncated(value: number): bigint {
  return Math.abs(value) < 2 ** 63 ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

/** Converts a number or boolean to a real number. */
export function toReal(value: ExpressionValue | undefined): number | undefined {
  switch (value?.kind) {
    case 'integer':
      return Number(value.value);
    case 'boolean':
      return value.value ? 1 : 0;
    case 'real':
      return value.value;
    default:
      return undefined;
  }
}

/** Reports a failed macro and returns the text that replaces it. */
export function problem(expansion: Expansion, message: string, instead: string): string {
  expansion.context.problem(message);
  return instead;
}
