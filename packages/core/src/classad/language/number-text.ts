// Numbers as text: the number at the start of a text (C's `strtod`), the long form of new
// ClassAds and the short form of old ones.

const SIGN = /^[ \t\n\v\f\r]*([-+]?)/;
const WORDS = /(inf(?:inity)?)|(nan)/;
const HEXADECIMAL = /0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p([-+]?\d+))?/;
const DECIMAL = /((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/;
const PREFIX = new RegExp(
  `${SIGN.source}(?:${WORDS.source}|${HEXADECIMAL.source}|${DECIMAL.source})`,
  'i',
);

/**
 * Returns the number at the start of `text`, after blanks; undefined if there is none.
 * The text may continue after the number.
 */
export function leadingNumber(text: string): number | undefined {
  const found = PREFIX.exec(text);
  if (found === null) return undefined;
  const [, sign, infinity, nan, hexadecimal, power, decimal] = found;
  const magnitude =
    infinity !== undefined
      ? Infinity
      : nan !== undefined
        ? NaN
        : hexadecimal === undefined
          ? Number(decimal)
          : hexadecimalReal(hexadecimal, Number(power ?? 0));
  return sign === '-' ? -magnitude : magnitude;
}

function hexadecimalReal(digits: string, power: number): number {
  const [whole = '', fraction = ''] = digits.split('.');
  return Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (power - 4 * fraction.length);
}

/**
 * C's `%.15E`, with `0.0` and `-0.0` for zero and `real("INF")`, `real("NaN")` for
 * infinity and NaN.
 */
export function longReal(value: number): string {
  return special(value) ?? upperExponent(value.toExponential(15));
}

/** C's `%.16G`, with `.0` appended to a text that looks like an integer. */
export function shortReal(value: number): string {
  const text = special(value) ?? generalReal(value, 16);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** C's `%.<digits>G` of a finite number. */
export function generalReal(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const scientific = value.toExponential(digits - 1);
  const exponent = Number(scientific.slice(scientific.indexOf('e') + 1));
  if (exponent >= -4 && exponent < digits)
    return trimZeros(value.toFixed(Math.min(digits - 1 - exponent, 100)));
  const [mantissa = '', power = ''] = scientific.split('e');
  return upperExponent(`${trimZeros(mantissa)}e${power}`);
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'real("NaN")';
  if (!Number.isFinite(value)) return value > 0 ? 'real("INF")' : 'real("-INF")';
  return value === 0 ? (Object.is(value, -0) ? '-0.0' : '0.0') : undefined;
}

const trimZeros = (text: string): string =>
  text.includes('.') ? text.replace(/\.?0+$/, '') : text;

const upperExponent = (text: string): string =>
  text.replace(
    /e([-+])(\d+)$/,
    (_, sign: string, power: string) => `E${sign}${power.padStart(2, '0')}`,
  );

const TWO_63 = 2 ** 63;

/**
 * Truncates a real to a 64-bit integer like x86-64: an overflow gives the smallest
 * integer.
 */
export function truncated(value: number): bigint {
  return value >= -TWO_63 && value < TWO_63 ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

/**
 * Truncates a real to a 32-bit integer like x86-64: an overflow gives the smallest
 * integer.
 */
export function truncated32(value: number): number {
  return value > -(2 ** 31) - 1 && value < 2 ** 31 ? Math.trunc(value) : -(2 ** 31);
}
