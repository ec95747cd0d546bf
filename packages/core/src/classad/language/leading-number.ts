// C's `strtod`: the number at the start of a text.

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
