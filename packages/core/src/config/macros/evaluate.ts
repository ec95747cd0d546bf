// Expressions in the configuration: the interface of a ClassAd evaluator.

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
 * Evaluates an expression in an empty ad; `undefined` for an invalid one. Text after a
 * conditional `? :` that is not in parentheses is ignored, like HTCondor does.
 */
export type EvaluateExpression = (text: string) => ExpressionValue | undefined;
