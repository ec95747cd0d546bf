// Comparing values: by order, without regard to case, or by identity.
import type { ComparisonOperator } from '../language/ast.ts';
import { lowerAscii } from '../language/bytes.ts';
import { ERROR, booleanValue } from '../language/value.ts';
import type { Value } from '../language/value.ts';

/**
 * Compares two values that are neither UNDEFINED nor ERROR. Strings compare without
 * regard to case, booleans are numbers, an integer beside a real is a real; everything
 * else that is not of one kind is ERROR.
 */
export function compare(operator: ComparisonOperator, left: Value, right: Value): Value {
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
 * Whether two values have the same type and value; undefined (an ERROR) for two lists or
 * two ads.
 */
export function identical(left: Value, right: Value): boolean | undefined {
  if (left.type !== right.type) return false;
  switch (left.type) {
    case 'undefined':
    case 'error':
      return true;
    case 'list':
    case 'classad':
      return undefined;
    case 'abstime':
    case 'reltime':
      return right.type === left.type && left.seconds === right.seconds;
    default:
      return 'value' in right && left.value === right.value;
  }
}
