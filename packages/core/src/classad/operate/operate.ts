// The strict operators on values: ERROR wins over UNDEFINED, UNDEFINED over everything
// else.
import type { BinaryOperator, UnaryOperator } from '../language/ast.ts';
import { arithmetic } from './arithmetic.ts';
import { compare, identical } from './compare.ts';
import {
  ERROR,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
  truthOf,
} from '../language/value.ts';
import type { Value } from '../language/value.ts';

/** Applies a binary operator other than `&&` and `||` to two values. */
export function binary(
  operator: Exclude<BinaryOperator, '&&' | '||'>,
  left: Value,
  right: Value,
): Value {
  if (operator === '=?=' || operator === '=!=') {
    const same = identical(left, right);
    return same === undefined ? ERROR : booleanValue(same === (operator === '=?='));
  }
  if (left.type === 'error' || right.type === 'error') return ERROR;
  if (left.type === 'undefined' || right.type === 'undefined') return UNDEFINED;
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(operator, left, right);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(operator, left, right);
    default:
      if (left.type !== 'integer' || right.type !== 'integer') return ERROR;
      return integerValue(bits(operator, left.value, right.value));
  }
}

/** Shift counts use their low six bits, as x86-64 does. */
function bits(
  operator: '|' | '^' | '&' | '<<' | '>>' | '>>>',
  left: bigint,
  right: bigint,
): bigint {
  const count = right & 63n;
  switch (operator) {
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '<<':
      return left << count;
    case '>>':
      return left >> count;
    case '>>>':
      return BigInt.asUintN(64, left) >> count;
  }
}

/** Applies a unary operator. Booleans are numbers for `!` only. */
export function unary(operator: UnaryOperator, operand: Value): Value {
  if (operand.type === 'undefined') return UNDEFINED;
  if (operator === '!') {
    const truth = truthOf(operand);
    return truth === undefined ? ERROR : booleanValue(!truth);
  }
  if (operator === '~') return operand.type === 'integer' ? integerValue(~operand.value) : ERROR;
  if (operand.type === 'integer') return operator === '+' ? operand : integerValue(-operand.value);
  if (operand.type === 'real') return operator === '+' ? operand : realValue(-operand.value);
  if (operand.type !== 'reltime') return ERROR;
  return operator === '+' ? operand : { type: 'reltime', seconds: -operand.seconds };
}
