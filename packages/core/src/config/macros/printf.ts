// The one printf conversion that `$INT`, `$REAL` and `$STRING` accept, with the output of
// C.

/** Flags, width, precision, length and letter of one `%`. */
const CONVERSION = /%([-+ #0']*)(\d*)(?:\.(\d*))?([hlLqjzt]*)(.)/gs;

/** Letters of conversions that take an argument; other letters are plain text. */
const KNOWN = 'diouxXeEfFgGaAcCsSpnvVrRTY';

interface Conversion {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly length: string;
  readonly letter: string;
}

/** A checked format: the one conversion, and the texts around it. */
export interface Format extends Conversion {
  readonly before: string;
  readonly after: string;
}

/** The maximum width or precision. */
const WIDEST = 4096;

/** The maximum digits after the point that JavaScript prints; enough to detect a tie. */
const MOST_DIGITS = 100;

/**
 * Formats `value` with exactly one conversion with a letter of `letters`; `undefined` for
 * other formats.
 */
export function formatOne(
  format: string,
  letters: string,
  value: bigint | number | string,
): string | undefined {
  const parsed = parseFormat(format, letters);
  return parsed && printFormat(parsed, value);
}

/**
 * Checks a format: exactly one conversion that takes an argument, with a letter of
 * `letters`. Returns `undefined` for other formats.
 */
export function parseFormat(format: string, letters: string): Format | undefined {
  let found: Conversion | undefined;
  let before = '';
  let after = '';
  let done = 0;
  const add = (text: string): void => void (found ? (after += text) : (before += text));
  for (const match of format.matchAll(CONVERSION)) {
    const [all, flags = '', width = '', precision, length = '', letter = ''] = match;
    add(format.slice(done, match.index));
    done = match.index + all.length;
    if (letter === '%') add('%');
    else if (!found) {
      if (!letters.includes(letter)) return undefined;
      const digits = precision === undefined ? undefined : Number(precision || 0);
      found = { flags, width: Number(width || 0), precision: digits, length, letter };
    } else if (KNOWN.includes(letter)) return undefined;
    else add(all);
  }
  if (!found || found.width > WIDEST || (found.precision ?? 0) > WIDEST) return undefined;
  // C ends the text at an incomplete conversion.
  add(format.slice(done).replace(/%.*$/s, ''));
  return { ...found, before, after };
}

/** Formats `value`, whose type must be that of the format's letter. */
export function printFormat(format: Format, value: bigint | number | string): string {
  const text = convert(format, value);
  // C ends the text at a character that the locale C does not have.
  if (text === undefined) return format.before;
  return format.before + pad(text, format, value) + format.after;
}

function convert(conversion: Conversion, value: bigint | number | string): string | undefined {
  const { flags, precision, letter, length } = conversion;
  if (typeof value === 'string') return precision === undefined ? value : value.slice(0, precision);
  if (typeof value === 'bigint' && 'cC'.includes(letter))
    return character(value, letter === 'C' || bitsOf(length) === 64);
  const text =
    typeof value === 'bigint'
      ? integer(value, conversion)
      : real(value, letter, precision, flags.includes('#'));
  if (text.startsWith('-') || 'ouxXp'.includes(letter)) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

/**
 * Returns one byte, above 127 as a lone surrogate, as in all configuration texts; for a
 * wide character above 127 `undefined`.
 */
function character(value: bigint, wide: boolean): string | undefined {
  const code = Number(BigInt.asUintN(wide ? 32 : 8, value));
  if (code < 128) return String.fromCharCode(code);
  return wide ? undefined : String.fromCharCode(0xdc00 + code);
}

/** Returns the bits of the C type that a length selects; `int` without one. */
function bitsOf(length: string): number {
  if (/[lLqjzt]/.test(length)) return 64;
  if (length.startsWith('hh')) return 8;
  return length === '' ? 32 : 16;
}

function integer(value: bigint, { letter, precision, flags, length }: Conversion): string {
  const bits = bitsOf(length);
  const digits = (number: bigint, radix: number): string =>
    number === 0n && precision === 0 ? '' : number.toString(radix).padStart(precision ?? 1, '0');
  const unsigned = BigInt.asUintN(bits, value);
  const alternate = flags.includes('#') && unsigned !== 0n;
  switch (letter) {
    case 'o':
      return digits(unsigned, 8).replace(/^(?!0)/, flags.includes('#') ? '0' : '');
    case 'u':
      return digits(unsigned, 10);
    case 'x':
      return (alternate ? '0x' : '') + digits(unsigned, 16);
    case 'X':
      return (alternate ? '0X' : '') + digits(unsigned, 16).toUpperCase();
    case 'p':
      return value === 0n ? '(nil)' : `0x${BigInt.asUintN(64, value).toString(16)}`;
    default: {
      const signed = BigInt.asIntN(bits, value);
      return signed < 0n ? `-${digits(-signed, 10)}` : digits(signed, 10);
    }
  }
}

function real(
  value: number,
  letter: string,
  precision: number | undefined,
  alternate: boolean,
): string {
  const upper = letter === letter.toUpperCase();
  const text = Number.isFinite(value)
    ? realDigits(value, letter.toLowerCase(), precision, alternate)
    : Number.isNaN(value)
      ? 'nan'
      : value < 0
        ? '-inf'
        : 'inf';
  const sign = Object.is(value, -0) ? '-' : '';
  return sign + (upper ? text.toUpperCase() : text);
}

function realDigits(
  value: number,
  letter: string,
  precision: number | undefined,
  alternate: boolean,
): string {
  const point = (text: string): string =>
    alternate && !text.includes('.') ? text.replace(/(?=[ep]|$)/, '.') : text;
  switch (letter) {
    case 'f':
      return point(fixed(value, precision ?? 6));
    case 'e':
      return point(exponential(value, precision ?? 6));
    case 'a':
      return point(hexadecimal(value, precision));
    default:
      return point(general(value, precision === 0 ? 1 : (precision ?? 6), alternate));
  }
}

function fixed(value: number, precision: number): string {
  if (Math.abs(value) < 1e21)
    return evenTie(value.toFixed(MOST_DIGITS), Math.min(precision, MOST_DIGITS), (digits) =>
      value.toFixed(digits),
    );
  const digits = BigInt(value).toString();
  return precision === 0 ? digits : `${digits}.${'0'.repeat(precision)}`;
}

function exponential(value: number, precision: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(MOST_DIGITS).split('e');
  const rounded = evenTie(mantissa, Math.min(precision, MOST_DIGITS), (digits) =>
    value.toExponential(digits),
  );
  const text = rounded.includes('e') ? rounded : `${rounded}e${exponent}`;
  return text.replace(/e([-+])(\d)$/, 'e$10$2');
}

/** JavaScript rounds a tie up, C to the even digit; `exact` has all digits. */
function evenTie(exact: string, precision: number, round: (precision: number) => string): string {
  const point = exact.indexOf('.');
  const kept = exact.slice(0, precision === 0 ? point : point + 1 + precision);
  const isTie = /^50*$/.test(exact.slice(point + 1 + precision));
  return isTie && /[02468]$/.test(kept) ? kept : round(precision);
}

function general(value: number, precision: number, keepZeros: boolean): string {
  const scientific = exponential(value, precision - 1);
  const exponent = Number(/e([-+]\d+)$/.exec(scientific)?.[1] ?? 0);
  const text =
    exponent < -4 || exponent >= precision ? scientific : fixed(value, precision - 1 - exponent);
  return keepZeros ? text : text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
}

/**
 * `%a` like glibc: one digit before the point; without a precision, no trailing zeros. A
 * rounded number may begin with 2.
 */
function hexadecimal(value: number, precision: number | undefined): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const mantissa = (raw & 0xfffffffffffffn) | (exponent === 0 ? 0n : 1n << 52n);
  const kept = Math.min(precision ?? 13, 13);
  const digits = roundedBits(mantissa, 4 * (13 - kept))
    .toString(16)
    .padStart(kept + 1, '0');
  const fraction =
    precision === undefined
      ? digits.slice(1).replace(/0+$/, '')
      : digits.slice(1).padEnd(precision, '0');
  const power = value === 0 ? 0 : exponent === 0 ? -1022 : exponent - 1023;
  const lead = `${value < 0 ? '-' : ''}0x${digits.slice(0, 1)}`;
  return `${lead}${fraction === '' ? '' : `.${fraction}`}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}

/** Drops the last `count` bits; a tie becomes even. */
function roundedBits(value: bigint, count: number): bigint {
  if (count === 0) return value;
  const shift = BigInt(count);
  const [kept, rest, half] = [value >> shift, value & ((1n << shift) - 1n), 1n << (shift - 1n)];
  return rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept;
}

/** Zeros pad numbers only, before the digits; a precision of an integer rules them out. */
function pad(
  text: string,
  { width, flags, precision, letter }: Conversion,
  value: bigint | number | string,
): string {
  if (flags.includes('-')) return text.padEnd(width);
  const zeros =
    typeof value === 'number'
      ? Number.isFinite(value)
      : typeof value === 'bigint' && precision === undefined && !'cCp'.includes(letter);
  if (!flags.includes('0') || !zeros) return text.padStart(width);
  const sign = /^[-+ ]?(?:0[xX])?/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
