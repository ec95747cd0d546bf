// Shared by the function macros: arguments that are knobs or plain text, and numbers from
// expressions.
import type { ExpressionValue } from './expressions.ts';
import type { Expansion } from './expansion.ts';

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
