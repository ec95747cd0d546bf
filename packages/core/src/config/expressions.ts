// The evaluator of expressions that every part of the configuration uses unless it is given another.
import { evaluateLiteral, type EvaluateExpression } from './evaluate.ts';

/** Evaluates an expression in a knob. */
export const evaluateExpression: EvaluateExpression = evaluateLiteral;
