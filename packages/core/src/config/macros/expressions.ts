// ClassAd expressions in the configuration: numbers, booleans, $INT, $EVAL etc.
import { isCoded } from '../../base/errors/errors.ts';
import { systemClock } from '../../base/time/clock.ts';
import type { Expr } from '../../classad/language/ast.ts';
import { bytesOf, textOf } from '../../classad/language/bytes.ts';
import { evaluate } from '../../classad/evaluate/evaluate.ts';
import { parseTree } from '../../classad/language/parse-expression.ts';
import { tokensOf, type ParseOptions } from '../../classad/language/parse.ts';
import { printValue } from '../../classad/print/print.ts';
import type { Value } from '../../classad/language/value.ts';
import type { EvaluateExpression, ExpressionValue } from './evaluate.ts';

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
    const tokens = tokensOf(bytesOf(text), 0, OPTIONS);
    const expr = parseTree(tokens);
    const complete = tokens.peek.kind === 'end' || isConditional(expr);
    return complete ? expr : undefined;
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX') || isCoded(error, 'CLASSAD_LIMIT')) return undefined;
    throw error;
  }
}

/** True for `a ? b : c`, after which HTCondor does not ask for the end of the text. */
function isConditional(expr: Expr): boolean {
  return expr.kind === 'conditional' && expr.yes !== undefined;
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
