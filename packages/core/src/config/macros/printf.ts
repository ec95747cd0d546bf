// The one printf conversion that `$INT`, `$REAL` and `$STRING` accept, with the output of
// C.

const CONVERSION = /%([-+ #0]*)(\d*)(?:\.(\d*))?(?:hh|h|ll|l|L|q|j|z|t)?([a-zA-Z])/g;

interface Conversion {
  readonly before: string;
  readonly after: string;
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
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
  const conversion = parseFormat(format);
  if (!conversion || !letters.includes(conversion.letter)) return undefined;
  const { before, after, width, flags } = conversion;
  if (width > WIDEST || (conversion.precision ?? 0) > WIDEST) return undefined;
  return before + pad(convert(conversion, value), width, flags, typeof value === 'string') + after;
}

function parseFormat(format: string): Conversion | undefined {
  const plain = (text: string): string => text.replaceAll('\0', '%');
  const masked = format.replaceAll('%%', '\0');
  const matches = [...masked.matchAll(CONVERSION)];
  const match = matches[0];
  if (matches.length !== 1 || !match || masked.split('%').length !== 2) return undefined;
  const [all, flags = '', width = '', precision, letter = ''] = match;
  return {
    before: plain(masked.slice(0, match.index)),
    after: plain(masked.slice(match.index + all.length)),
    flags,
    width: Number(width || 0),
    precision: precision === undefined ? undefined : Number(precision || 0),
    letter,
  };
}

function convert(
  { flags, precision, letter }: Conversion,
  value: bigint | number | string,
): string {
  if (typeof value === 'string') return precision === undefined ? value : value.slice(0, precision);
  const text =
    typeof value === 'bigint'
      ? integer(value, letter, precision, flags)
      : real(value, letter, precision, flags);
  if (text.startsWith('-') || 'ouxX'.includes(letter)) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function integer(value: bigint, letter: string, precision = 1, flags = ''): string {
  const unsigned = BigInt.asUintN(64, value);
  const alternate = flags.includes('#') && value !== 0n;
  switch (letter) {
    case 'o':
      return (alternate ? '0' : '') + unsigned.toString(8).padStart(precision, '0');
    case 'u':
      return unsigned.toString().padStart(precision, '0');
    case 'x':
      return (alternate ? '0x' : '') + unsigned.toString(16).padStart(precision, '0');
    case 'X':
      return (alternate ? '0X' : '') + unsigned.toString(16).toUpperCase().padStart(precision, '0');
    default:
      return value < 0n
        ? `-${(-value).toString().padStart(precision, '0')}`
        : value.toString().padStart(precision, '0');
  }
}

function real(value: number, letter: string, precision: number | undefined, flags: string): string {
  const upper = letter === letter.toUpperCase();
  const text = Number.isFinite(value)
    ? realDigits(value, letter.toLowerCase(), precision, flags.includes('#'))
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
  keepZeros: boolean,
): string {
  switch (letter) {
    case 'f':
      return fixed(value, precision ?? 6);
    case 'e':
      return exponential(value, precision ?? 6);
    case 'a':
      return hexadecimal(value);
    default:
      return general(value, precision === 0 ? 1 : (precision ?? 6), keepZeros);
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

/** `%a` like glibc: one digit before the point, no trailing zeros. */
function hexadecimal(value: number): string {
  if (value === 0) return '0x0p+0';
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const fraction = (raw & 0xfffffffffffffn).toString(16).padStart(13, '0').replace(/0+$/, '');
  const power = exponent === 0 ? -1022 : exponent - 1023;
  const lead = `${value < 0 ? '-' : ''}0x${exponent === 0 ? 0 : 1}`;
  return `${lead}${fraction === '' ? '' : `.${fraction}`}p${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}

function pad(text: string, width: number, flags: string, isText: boolean): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || isText) return text.padStart(width);
  const sign = /^[-+ ]?(?:0[xX])?/.exec(text)?.[0] ?? '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
