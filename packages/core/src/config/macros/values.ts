// Conversion of texts to booleans, numbers, sizes and durations, by HTCondor's rules.
import { toInteger, toReal } from './argument.ts';
import type { EvaluateExpression } from './evaluate.ts';
import { trim } from './text.ts';

/**
 * Parses a boolean: `true`, `false`, `1`, `0`, or an expression whose value is a boolean
 * or number. Text after a complete expression is ignored. `yes`, `on` etc. are not
 * booleans. Returns `undefined` for other texts.
 */
export function parseBoolean(text: string, evaluate: EvaluateExpression): boolean | undefined {
  const word = trim(text).toLowerCase();
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  const value = evaluate(text, true);
  if (value?.kind === 'boolean') return value.value;
  const number = toReal(value);
  return number === undefined ? undefined : number !== 0;
}

/**
 * Parses an integer: decimal digits, or an expression whose value is a number, which is
 * truncated.
 */
export function parseInteger(text: string, evaluate: EvaluateExpression): bigint | undefined {
  const plain = trim(text);
  return /^[-+]?\d+$/.test(plain) ? BigInt(plain.replace('+', '')) : toInteger(evaluate(plain));
}

/** Parses a real number: a decimal, or an expression whose value is a number. */
export function parseReal(text: string, evaluate: EvaluateExpression): number | undefined {
  const plain = trim(text);
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(plain)) return Number(plain);
  return toReal(evaluate(plain));
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
 * Parses a number with an optional unit: `b`, `K[b]`, `M[b]`, `G[b]`, `T[b]` for bytes,
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
  const bytes = /^[kmgt]?b?$/i.test(unit)
    ? BYTES[unit.toLowerCase().replace(/(?<=.)b$/, '')]
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
