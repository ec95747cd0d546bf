// Expressions in the configuration: the interface of a ClassAd evaluator, and how a value
// is read as one.
import { isCoded } from '../../base/errors/errors.ts';
import { systemClock } from '../../base/time/clock.ts';
import { evaluate } from '../../classad/evaluate/evaluate.ts';
import type { Expr } from '../../classad/language/ast.ts';
import { textOf } from '../../classad/language/bytes.ts';
import { type ParseOptions, parseExpression } from '../../classad/language/parse.ts';
import type { Value } from '../../classad/language/value.ts';
import { printValue } from '../../classad/print/print.ts';

/**
 * Knobs follow the rules of `Name = value` lines: a backslash is an ordinary character,
 * except before a quote.
 */
const OPTIONS: ParseOptions = { lexer: 'old', semantics: 'old', textAfterConditional: true };

/** Returns an evaluator in an empty ad; `now` returns epoch seconds for `time()`. */
export function expressionEvaluator(now: () => number): EvaluateExpression {
  return (text) => {
    const expr = parse(text);
    return expr === undefined ? undefined : valueOf(expr, now());
  };
}

/** The default evaluator of the configuration. */
export const evaluateExpression: EvaluateExpression = expressionEvaluator(() => systemClock.now());

function parse(text: string): Expr | undefined {
  try {
    return parseExpression(text, OPTIONS);
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX') || isCoded(error, 'CLASSAD_LIMIT')) return undefined;
    throw error;
  }
}

function valueOf(expr: Expr, now: number): ExpressionValue {
  try {
    return convert(evaluate(expr, { now }));
  } catch (error) {
    if (isCoded(error, 'CLASSAD_LIMIT')) return { kind: 'error' };
    throw error;
  }
}

function convert(value: Value): ExpressionValue {
  switch (value.type) {
    case 'undefined':
    case 'error':
      return { kind: value.type };
    case 'boolean':
      return { kind: 'boolean', value: value.value };
    case 'integer':
      return { kind: 'integer', value: value.value };
    case 'real':
      return { kind: 'real', value: value.value };
    case 'string':
      return { kind: 'string', value: textOf(value.value) };
    default:
      return { kind: 'other', text: printValue(value) };
  }
}

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
