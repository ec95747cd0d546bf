// Expressions in the configuration: the interface of a ClassAd evaluator, and an
// evaluator for literals only.

/**
 * The value of an expression. `other` is a list, an ad or a time, printed in ClassAd
 * syntax.
 */
export type ExpressionValue =
  | { readonly kind: 'undefined' | 'error' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'real'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'other'; readonly text: string };

/**
 * Evaluates an expression in an empty ad; `undefined` for an invalid one. With `prefix`,
 * text after a complete expression is ignored, like HTCondor does for boolean knobs.
 */
export type EvaluateExpression = (text: string, prefix?: boolean) => ExpressionValue | undefined;

/**
 * Evaluates only decimal numbers, `true`, `false`, `undefined`, `error` and quoted
 * strings.
 */
export const evaluateLiteral: EvaluateExpression = (text, prefix = false) => {
  const match =
    /^\s*(-?\d+\.\d*(?:e[-+]?\d+)?|-?\.?\d+(?:e[-+]?\d+)?|[a-z]+|"(?:[^"\\]|\\.)*")(.*)$/is.exec(
      text,
    );
  if (!match || (!prefix && (match[2] ?? '').trim() !== '')) return undefined;
  const word = match[1] ?? '';
  if (/^-?\d+$/.test(word)) return { kind: 'integer', value: BigInt(word) };
  if (/^[-.\d]/.test(word)) return { kind: 'real', value: Number(word) };
  if (word.startsWith('"'))
    return { kind: 'string', value: word.slice(1, -1).replaceAll('\\"', '"') };
  switch (word.toLowerCase()) {
    case 'true':
    case 'false':
      return { kind: 'boolean', value: word.toLowerCase() === 'true' };
    case 'error':
      return { kind: 'error' };
    default:
      return { kind: 'undefined' };
  }
};
