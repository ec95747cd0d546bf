// What the function macros share: arguments that are knobs or plain text, and numbers out
// of expressions.
import type { ExpressionValue } from './evaluate.ts';
import type { Expansion } from './expansion.ts';

/**
 * The expansion of the knob of this name; the text itself when there is none. An empty
 * knob is empty.
 */
export function valueOf(text: string, expansion: Expansion): string {
  const raw = expansion.context.lookup(text);
  return raw === undefined ? text : expansion.nested(raw);
}

/** What stands before the first comma, and what behind it. */
export function splitFirst(body: string): readonly [string, string | undefined] {
  const comma = body.indexOf(',');
  return comma < 0 ? [body, undefined] : [body.slice(0, comma), body.slice(comma + 1)];
}

/**
 * An integer as `$INT` and the integer knobs understand a value: reals lose their
 * fraction, booleans count as 1 and 0.
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

function truncated(value: number): bigint | undefined {
  if (Number.isNaN(value)) return undefined;
  if (Math.abs(value) >= 2 ** 63) return value < 0 ? -(2n ** 63n) : 2n ** 63n - 1n;
  return BigInt(Math.trunc(value));
}

/** A real number out of a number or boolean. */
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

/** Reports a failed macro and gives the text that is in its place. */
export function problem(expansion: Expansion, message: string, instead: string): string {
  expansion.context.problem(message);
  return instead;
}
