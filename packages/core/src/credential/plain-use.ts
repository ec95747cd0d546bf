// A fast reader of the times in a `.use` of the common form, from its bytes: nothing is
// decoded or copied. Pure.
import { LONGEST_LIFETIME, STORED_BEFORE_TOP, type TokenTimes } from './times.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const NINE = 0x39;

const ACCESS_TOKEN = Buffer.from('access_token');
const ISSUED_AT = Buffer.from('issued_at');
const EXPIRES_AT = Buffer.from('expires_at');
const BEFORE_TOP = Buffer.from(STORED_BEFORE_TOP);
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** More digits may be milliseconds, or not exact. */
const MOST_DIGITS = 12;

/**
 * Returns the times that the first `length` bytes of a `.use` say, if they are a JSON object
 * of plain members with an access token, `issued_at` and `expires_at`. For any other file
 * it returns `undefined`, also for a valid one: the full parser reads that.
 */
export function plainUseTimes(bytes: Uint8Array, length: number): TokenTimes | undefined {
  let at = afterSpace(bytes, 0, length);
  if (bytes[at] !== OPEN) return undefined;
  let hasToken = false;
  let issuedAt = 0;
  let expiresAt = 0;
  do {
    const name = afterSpace(bytes, at + 1, length);
    if (bytes[name] !== QUOTE) return undefined;
    const nameEnd = endOfString(bytes, name + 1, length);
    if (nameEnd < 0) return undefined;
    at = afterSpace(bytes, nameEnd + 1, length);
    if (bytes[at] !== COLON) return undefined;
    const value = afterSpace(bytes, at + 1, length);
    const end = endOfValue(bytes, value, length);
    if (end < 0 || isName(bytes, name + 1, nameEnd, BEFORE_TOP)) return undefined;
    if (isName(bytes, name + 1, nameEnd, ACCESS_TOKEN)) {
      // A token of two characters has four bytes with its quotes.
      if (hasToken || bytes[value] !== QUOTE || end - value <= 2) return undefined;
      hasToken = true;
    } else if (isName(bytes, name + 1, nameEnd, ISSUED_AT)) {
      if (issuedAt !== 0) return undefined;
      issuedAt = numberAt(bytes, value, end);
      if (issuedAt <= 0) return undefined;
    } else if (isName(bytes, name + 1, nameEnd, EXPIRES_AT)) {
      if (expiresAt !== 0) return undefined;
      expiresAt = numberAt(bytes, value, end);
      if (expiresAt <= 0) return undefined;
    }
    at = afterSpace(bytes, end, length);
  } while (bytes[at] === COMMA && at < length);
  if (at >= length || bytes[at] !== CLOSE || afterSpace(bytes, at + 1, length) !== length)
    return undefined;
  const lifetime = expiresAt - issuedAt;
  const isPlain = hasToken && issuedAt > 0 && lifetime > 0 && lifetime <= LONGEST_LIFETIME;
  return isPlain ? { issuedAt, expiresAt } : undefined;
}

function afterSpace(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && isSpace(bytes[at] ?? 0)) at += 1;
  return at;
}

/** @see RFC 8259, section 2 */
const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** 1 for each byte that stands for itself in a text. */
const IS_PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** Returns where the closing quote is; -1 for an escape or what is not printable ASCII. */
function endOfString(bytes: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && IS_PLAIN[bytes[at] ?? 0] === 1) at += 1;
  return at < length && bytes[at] === QUOTE ? at : -1;
}

/** Returns the index after a text, a whole number or a word; -1 for anything else. */
function endOfValue(bytes: Uint8Array, from: number, length: number): number {
  if (bytes[from] === QUOTE) {
    const end = endOfString(bytes, from + 1, length);
    return end < 0 ? -1 : end + 1;
  }
  let end = from;
  while (end < length && isDigit(bytes[end] ?? 0)) end += 1;
  if (end > from) return bytes[from] === ZERO && end - from > 1 ? -1 : end;
  const word = WORDS.find((one) => isName(bytes, from, from + one.length, one));
  return word && from + word.length <= length ? from + word.length : -1;
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;

function isName(bytes: Uint8Array, from: number, end: number, name: Uint8Array): boolean {
  if (end - from !== name.length) return false;
  for (let index = 0; index < name.length; index += 1)
    if (bytes[from + index] !== name[index]) return false;
  return true;
}

/** Returns a whole number; 0 if it has too many digits or is none. */
function numberAt(bytes: Uint8Array, from: number, end: number): number {
  if (end - from > MOST_DIGITS) return 0;
  let number = 0;
  for (let at = from; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (!isDigit(byte)) return 0;
    number = number * 10 + byte - ZERO;
  }
  return number;
}
