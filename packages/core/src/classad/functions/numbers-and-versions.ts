// ClassAd functions on numbers: conversions between types (int, real, bool, string),
// rounding, arithmetic, random numbers and versions.
import { leadingNumber, truncated } from '../language/number-text.ts';
import {
  ERROR,
  FALSE,
  TRUE,
  UNDEFINED,
  type Value,
  booleanValue,
  integerValue,
  realValue,
  stringValue,
} from '../language/value.ts';
import {
  type ClassAdFunction,
  type Context,
  type FunctionTable,
  failEvaluation,
} from '../operate/context.ts';
import { elements, exceptional, stringOf, taking, undefinedFirst } from './args.ts';

/**
 * Converts a value to a real: numbers, booleans, times in whole seconds, and strings that
 * start with a number.
 */
export function realOf(value: Value): number | undefined {
  switch (value.type) {
    case 'integer':
    case 'boolean':
      return Number(value.value);
    case 'real':
      return value.value;
    case 'string':
      return leadingNumber(value.value);
    case 'abstime':
      return value.seconds;
    case 'reltime':
      return Math.trunc(value.seconds) + 0;
    default:
      return undefined;
  }
}

function toInteger(value: Value): Value {
  if (value.type === 'integer') return value;
  const real = realOf(value);
  return real === undefined ? ERROR : integerValue(truncated(real));
}

function toReal(value: Value): Value {
  const real = realOf(value);
  return real === undefined ? ERROR : realValue(real);
}

/**
 * The strings `true` and `false`, in any case, are booleans; other strings are UNDEFINED.
 */
function toBoolean(value: Value): Value {
  if (value.type === 'string') {
    const word = value.value.toLowerCase();
    return word === 'true' ? TRUE : word === 'false' ? FALSE : UNDEFINED;
  }
  if (value.type === 'boolean') return value;
  if (value.type === 'abstime') return ERROR;
  const real = realOf(value);
  return real === undefined ? ERROR : booleanValue(real !== 0);
}

const toText = (value: Value): Value => stringValue(stringOf(value) ?? '');

const converting = (convert: (value: Value) => Value) =>
  taking(1, 1, (args) => exceptional(args) ?? convert(args[0] ?? ERROR));

export const CONVERT_FUNCTIONS: FunctionTable = new Map([
  ['int', converting(toInteger)],
  ['real', converting(toReal)],
  ['bool', converting(toBoolean)],
  ['string', converting(toText)],
]);

const rounding = (round: (value: number) => number): ClassAdFunction =>
  taking(1, 1, ([value = ERROR]) => {
    if (value.type === 'integer') return value;
    const real = realOf(value);
    return real === undefined ? ERROR : integerValue(truncated(round(real)));
  });

/** Rounds to the nearest integer, halves to the even one. */
function nearestEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A power takes about as long as so many other steps. */
const POWER_STEPS = 20;

/**
 * Two integers with an exponent of at least 0 give an integer, which the reference rounds
 * by adding one half and truncating.
 */
function pow([base = ERROR, exponent = ERROR]: readonly Value[], context: Context): Value {
  context.spend(POWER_STEPS);
  const a = realOf(base);
  const b = realOf(exponent);
  if (a === undefined || b === undefined) return ERROR;
  const whole = base.type === 'integer' && exponent.type === 'integer' && exponent.value >= 0n;
  return whole ? integerValue(truncated(power(a, b) + 0.5)) : realValue(power(a, b));
}

/**
 * Returns the smallest multiple of the quantum, or the first element of a list, that is
 * not less than the value. Of a list that has none the last element is the quantum.
 */
const quantize = taking(2, 2, ([value = ERROR, quantum = ERROR], context, scope) => {
  const real = realOf(value);
  if (real === undefined) return ERROR;
  if (quantum.type !== 'list') return multiple(value, real, quantum);
  let last: Value = realValue(0);
  for (const element of elements(quantum, scope, context)) {
    const bound = realOf(element);
    if (bound === undefined) return ERROR;
    if (real <= bound) return element;
    last = element;
  }
  return multiple(value, real, last);
});

/** Smaller quanta count as zero, which leaves the value as it is. */
const LEAST_QUANTUM = 1e-8;

function multiple(value: Value, real: number, quantum: Value): Value {
  const step = realOf(quantum);
  if (step === undefined) return ERROR;
  if (Math.abs(step) <= LEAST_QUANTUM) return value;
  if (value.type !== 'integer' || quantum.type !== 'integer')
    return realValue(Math.ceil(real / step) * step);
  const sum = BigInt.asIntN(64, value.value + quantum.value - 1n);
  return integerValue((sum / quantum.value) * quantum.value);
}

const random = taking(0, 1, ([bound], context) => {
  const chance = context.world.random();
  if (bound === undefined) return Number.isNaN(chance) ? ERROR : realValue(chance);
  if (bound.type !== 'integer' && bound.type !== 'real') return ERROR;
  if (Number(bound.value) <= 0) failEvaluation();
  if (Number.isNaN(chance)) return ERROR;
  const value = chance * Number(bound.value);
  return bound.type === 'integer' ? integerValue(Math.floor(value)) : realValue(value);
});

export const MATH_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['floor', rounding(Math.floor)],
  ['ceil', rounding(Math.ceil)],
  ['ceiling', rounding(Math.ceil)],
  ['round', rounding(nearestEven)],
  ['pow', taking(2, 2, pow)],
  ['quantize', quantize],
  ['random', random],
]);

/** The bits behind the point of the numbers here, which are integers times 2^-BITS. */
const BITS = 160n;
const ONE = 1n << BITS;

/** Returns `base` to the power of `exponent`. */
export function power(base: number, exponent: number): number {
  // In C, these are one, and not NaN.
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  const rough = base ** exponent;
  if (!Number.isFinite(rough) || !Number.isFinite(base) || !Number.isFinite(exponent)) return rough;
  if (rough === 0 || exponent === 0 || Math.abs(rough) === 1) return rough;
  const [digits, shift] = parts(exponent);
  const product = shifted(naturalLogarithm(Math.abs(base)) * digits, shift);
  return Math.sign(rough) * exponential(product);
}

/** Returns a finite number as an integer and the power of two that it is multiplied by. */
function parts(value: number): [digits: bigint, shift: bigint] {
  let shift = Math.floor(Math.log2(Math.abs(value))) - 53;
  if (shift < -1074) shift = -1074;
  return [BigInt(value / 2 ** ((shift / 2) | 0) / 2 ** (shift - ((shift / 2) | 0))), BigInt(shift)];
}

const shifted = (value: bigint, shift: bigint): bigint =>
  shift < 0n ? value >> -shift : value << shift;

/** The series of the inverse hyperbolic tangent, doubled: ln((1 + x) / (1 - x)). */
function logarithmOfRatio(x: bigint): bigint {
  const square = (x * x) >> BITS;
  let sum = 0n;
  for (let term = x, odd = 1n; term !== 0n && term !== -1n; odd += 2n) {
    sum += term / odd;
    term = (term * square) >> BITS;
  }
  return 2n * sum;
}

const LN_2 = logarithmOfRatio(ONE / 3n);

function naturalLogarithm(value: number): bigint {
  const [digits, shift] = parts(value);
  // Between 0.75 and 1.5, where the series is short.
  const size = BigInt(digits.toString(2).length);
  const half = 3n * (1n << size) > 4n * digits;
  const scale = half ? size - 1n : size;
  const fraction = shifted(digits, BITS - scale);
  return (shift + scale) * LN_2 + logarithmOfRatio(((fraction - ONE) << BITS) / (fraction + ONE));
}

function exponential(value: bigint): number {
  const twos = (value + LN_2 / 2n) / LN_2;
  const rest = value - twos * LN_2;
  let sum = 0n;
  for (let term = ONE, count = 1n; term !== 0n && term !== -1n; count += 1n) {
    sum += term;
    term = ((term * rest) >> BITS) / count;
  }
  const scale = Number(twos);
  const half = Math.trunc(scale / 2);
  return (Number(sum) / 2 ** Number(BITS)) * 2 ** half * 2 ** (scale - half);
}

// versioncmp, versionLT ..., version_in_range: comparison of texts as versions.

/**
 * Compares two texts like C's `strverscmp`: digit runs by value, runs with leading zeros
 * as fractions. The number says what differs, as in the reference: lengths or bytes.
 */
function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const start = at - (/\d*$/.exec(a.slice(0, at))?.[0].length ?? 0);
  const bytes = byteAt(a, at) - byteAt(b, at);
  const [left, right] = [a, b].map((text) => /^\d*/.exec(text.slice(start))?.[0] ?? '');
  if (start === at && (left === '' || right === '')) return bytes;
  const zeros = leadingZeros(left ?? '');
  const difference = leadingZeros(right ?? '') - zeros;
  if (difference !== 0) return difference;
  return zeros > 0 ? bytes : (left?.length ?? 0) - (right?.length ?? 0) || bytes;
}

/** The byte at `at` as C's signed char; 0 at the end. */
const byteAt = (text: string, at: number): number =>
  at < text.length ? (text.charCodeAt(at) << 24) >> 24 : 0;

/** The zeros before the last digit of a run. */
const leadingZeros = (digits: string): number => /^0*(?=\d)/.exec(digits)?.[0].length ?? 0;

const comparingVersions =
  (decide: (order: number) => boolean): ClassAdFunction =>
  (call, scope, context) => {
    const order = versionOrder(call, scope, context);
    return order.type === 'integer' ? booleanValue(decide(Number(order.value))) : order;
  };

const versionOrder = taking(2, 2, (args) => {
  const [a, b] = args.map(stringOf);
  if (a === undefined || b === undefined) return undefinedFirst(args) ?? ERROR;
  return integerValue(compareVersions(a, b));
});

const inRange = taking(3, 3, (args) => {
  const [version, least, most] = args.map(stringOf);
  if (least === undefined || most === undefined) return undefinedFirst(args.slice(1)) ?? ERROR;
  if (version === undefined) return ERROR;
  return booleanValue(compareVersions(least, version) <= 0 && compareVersions(version, most) <= 0);
});

export const VERSION_FUNCTIONS: FunctionTable = new Map<string, ClassAdFunction>([
  ['versioncmp', versionOrder],
  ['versionle', comparingVersions((order) => order <= 0)],
  ['versionlt', comparingVersions((order) => order < 0)],
  ['versionge', comparingVersions((order) => order >= 0)],
  ['versiongt', comparingVersions((order) => order > 0)],
  ['versioneq', comparingVersions((order) => order === 0)],
  ['version_in_range', inRange],
]);
