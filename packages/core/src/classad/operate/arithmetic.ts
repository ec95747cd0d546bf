// `+ - * / %` on integers, reals and times.
import type { ArithmeticOperator } from '../language/ast.ts';
import { ERROR, integerValue, realValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';

/** Applies an arithmetic operator to two values that are neither UNDEFINED nor ERROR. */
export function arithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return timeArithmetic(operator, left, right, a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return integers(operator, a, b);
  if (b === 0n && operator === '/') return ERROR;
  return reals(operator, Number(a), Number(b));
}

/** A number, or a boolean as 0 or 1. */
function numberOf(value: Value): bigint | number | undefined {
  if (value.type === 'integer' || value.type === 'real') return value.value;
  return value.type === 'boolean' ? BigInt(value.value) : undefined;
}

function integers(operator: ArithmeticOperator, a: bigint, b: bigint): Value {
  switch (operator) {
    case '+':
      return integerValue(a + b);
    case '-':
      return integerValue(a - b);
    case '*':
      return integerValue(a * b);
    case '/':
      return b === 0n ? ERROR : integerValue(a / b);
    case '%':
      return b === 0n ? ERROR : integerValue(a % b);
  }
}

/** An infinite result is an ERROR, a NaN is not. */
function reals(operator: ArithmeticOperator, a: number, b: number): Value {
  if (operator === '%') return ERROR;
  const value =
    operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  return Math.abs(value) === Infinity ? ERROR : realValue(value);
}

function timeArithmetic(
  operator: ArithmeticOperator,
  left: Value,
  right: Value,
  a: bigint | number | undefined,
  b: bigint | number | undefined,
): Value {
  if (operator === '+' || operator === '-') return addTimes(operator === '+' ? 1 : -1, left, right);
  if (operator === '%') return ERROR;
  if (left.type === 'reltime' && b !== undefined) {
    const factor = operator === '*' ? Number(b) : 1 / Number(b);
    if (!Number.isFinite(factor)) return ERROR;
    const seconds = operator === '*' ? left.seconds * factor : left.seconds / Number(b);
    return { type: 'reltime', seconds };
  }
  if (right.type === 'reltime' && a !== undefined && operator === '*') {
    return { type: 'reltime', seconds: Number(a) * right.seconds };
  }
  return ERROR;
}

function addTimes(sign: 1 | -1, left: Value, right: Value): Value {
  if (left.type === 'abstime' && right.type === 'reltime') {
    return { ...left, seconds: Math.trunc(left.seconds + sign * right.seconds) };
  }
  if (left.type === 'reltime' && right.type === 'abstime' && sign === 1) {
    return { ...right, seconds: Math.trunc(right.seconds + left.seconds) };
  }
  const sameKind =
    (left.type === 'abstime' && right.type === 'abstime' && sign === -1) ||
    (left.type === 'reltime' && right.type === 'reltime');
  return sameKind ? { type: 'reltime', seconds: left.seconds + sign * right.seconds } : ERROR;
}
