// C's pow(), correctly rounded. JavaScript's `**` differs from the C library in the last
// digit of some results.

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
