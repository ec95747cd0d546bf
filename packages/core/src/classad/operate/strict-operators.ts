// The strict operators on values: ERROR takes precedence over UNDEFINED, UNDEFINED over
// everything else.
import type {
  BinaryOperator,
  UnaryOperator,
  ArithmeticOperator,
  ComparisonOperator,
} from '../language/ast.ts';
import {
  ERROR,
  UNDEFINED,
  booleanValue,
  integerValue,
  realValue,
  truthOf,
  type Value,
  lowerAscii,
} from '../language/value.ts';
import { truncated32 } from '../language/number-text.ts';

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

/**
 * Shift counts use their low six bits, like x86-64. Negative numbers are shifted to the
 * right in other ways: step by step, or by one bit and then by the others.
 */
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
      if (left >= 0n) return left >> count;
      return right > 0n ? left >> (right > 64n ? 64n : right) : left;
    case '>>>':
      if (left >= 0n) return left >> count;
      return (BigInt.asUintN(64, left) >> 1n) >> ((right - 1n) & 63n);
  }
}

/** Applies a unary operator. Booleans are numbers only for `!`. */
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

// `+ - * / %` on integers, reals and times.

/** Applies an arithmetic operator to two values that are neither UNDEFINED nor ERROR. */
function arithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) return timeArithmetic(operator, left, right);
  if (typeof a === 'bigint' && typeof b === 'bigint') return integers(operator, a, b);
  return reals(operator, Number(a), Number(b));
}

/** Returns a number, or a boolean as 0 or 1. */
function numberOf(value: Value): bigint | number | undefined {
  if (value.type === 'integer' || value.type === 'real') return value.value;
  return value.type === 'boolean' ? BigInt(value.value) : undefined;
}

const LEAST = -(2n ** 63n);

function integers(operator: ArithmeticOperator, a: bigint, b: bigint): Value {
  switch (operator) {
    case '+':
      return integerValue(a + b);
    case '-':
      return integerValue(a - b);
    case '*':
      return integerValue(a * b);
    case '/':
      if (b === -1n && a === LEAST) return integerValue(-LEAST - 1n);
      return b === 0n ? ERROR : integerValue(a / b);
    case '%':
      return b === 0n ? ERROR : integerValue(a % b);
  }
}

/** Infinity is an ERROR as a result, minus infinity and NaN are not. */
function reals(operator: ArithmeticOperator, a: number, b: number): Value {
  if (operator === '%') return ERROR;
  const value =
    operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  return value === Infinity ? ERROR : realValue(value);
}

function timeArithmetic(operator: ArithmeticOperator, left: Value, right: Value): Value {
  if (operator === '+' || operator === '-') return addTimes(operator === '+' ? 1 : -1, left, right);
  if (operator === '%') return ERROR;
  if (left.type === 'reltime' && (right.type === 'integer' || right.type === 'real')) {
    const factor = Number(right.value);
    const seconds = operator === '*' ? left.seconds * factor : left.seconds / factor;
    return { type: 'reltime', seconds };
  }
  if (right.type !== 'reltime' || operator !== '*') return ERROR;
  if (left.type !== 'integer' && left.type !== 'real') return ERROR;
  return { type: 'reltime', seconds: Number(left.value) * right.seconds };
}

function addTimes(sign: 1 | -1, left: Value, right: Value): Value {
  if (left.type === 'abstime' && right.type === 'reltime') {
    return { ...left, seconds: left.seconds + sign * truncated32(right.seconds) };
  }
  if (left.type === 'reltime' && right.type === 'abstime' && sign === 1) {
    return { ...right, seconds: right.seconds + truncated32(left.seconds) };
  }
  const sameKind =
    (left.type === 'abstime' && right.type === 'abstime' && sign === -1) ||
    (left.type === 'reltime' && right.type === 'reltime');
  return sameKind ? { type: 'reltime', seconds: left.seconds + sign * right.seconds } : ERROR;
}

// Comparison of values: by order, case-insensitively, or by identity.

/**
 * Compares two values that are neither UNDEFINED nor ERROR. Strings are compared
 * case-insensitively, booleans are numbers, an integer and a real are compared as reals;
 * other different types are ERROR.
 */
function compare(operator: ComparisonOperator, left: Value, right: Value): Value {
  if (left.type === 'string' && right.type === 'string') {
    return ordered(operator, lowerAscii(left.value), lowerAscii(right.value));
  }
  if (left.type === 'abstime' || left.type === 'reltime') {
    return left.type === right.type ? ordered(operator, left.seconds, right.seconds) : ERROR;
  }
  const a = comparable(left);
  const b = comparable(right);
  if (a === undefined || b === undefined) return ERROR;
  if (typeof a === typeof b) return ordered(operator, a, b);
  return ordered(operator, Number(a), Number(b));
}

function comparable(value: Value): number | bigint | undefined {
  if (value.type === 'integer' || value.type === 'real') return value.value;
  return value.type === 'boolean' ? BigInt(value.value) : undefined;
}

function ordered<T extends string | number | bigint>(
  operator: ComparisonOperator,
  a: T,
  b: T,
): Value {
  switch (operator) {
    case '==':
      return booleanValue(a === b);
    case '!=':
      return booleanValue(a !== b);
    case '<':
      return booleanValue(a < b);
    case '<=':
      return booleanValue(a <= b);
    case '>':
      return booleanValue(a > b);
    case '>=':
      return booleanValue(a >= b);
  }
}

/**
 * Returns whether two values have the same type and value; undefined (an ERROR) for two
 * ads, or for two lists unless a function has made one of them only.
 */
function identical(left: Value, right: Value): boolean | undefined {
  if (left.type !== right.type) return false;
  switch (left.type) {
    case 'undefined':
    case 'error':
      return true;
    case 'list':
      return right.type === 'list' && left.made !== right.made ? false : undefined;
    case 'classad':
      return undefined;
    case 'abstime':
      return (
        right.type === 'abstime' && left.seconds === right.seconds && left.offset === right.offset
      );
    case 'reltime':
      return right.type === 'reltime' && left.seconds === right.seconds;
    default:
      return 'value' in right && left.value === right.value;
  }
}
