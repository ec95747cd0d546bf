// Parsers from a credential file to its part of a snapshot: from the text, and for the
// common form of `.use` from its bytes, where nothing is decoded or copied. Pure.
import { ERROR_CODES, type ErrorCode } from '../base/errors/errors.ts';
import { MAX_REFRESH_TOKEN, type Parsed, parseMeta, parseObject } from './file-contents.ts';
import { type UseFacts, tokenHash } from './issued-state.ts';
import type { MetaDigest, RenewalState, TopDigest } from './snapshot.ts';
import { LONGEST_LIFETIME, STORED_BEFORE_TOP, type TokenTimes, timesInFile } from './times.ts';

/**
 * Parses `.top`. Any text is valid except a refresh token that is too long; the provider
 * that owns the token checks the rest.
 */
export function digestTop(text: string): Parsed<TopDigest> {
  const object = parseObject(text);
  if (!object.ok) return { ok: true, value: { opaque: true, refreshToken: 'absent' } };
  const { refresh_token: token, vault_url: vaultUrl } = object.value;
  if (typeof token === 'string' && token.length > MAX_REFRESH_TOKEN)
    return { ok: false, reason: 'has a refresh token longer than 16 KiB' };
  const refreshToken = typeof token !== 'string' ? 'absent' : token === '' ? 'empty' : 'present';
  return {
    ok: true,
    value: {
      opaque: false,
      refreshToken,
      vaultUrl: typeof vaultUrl === 'string' ? vaultUrl : undefined,
    },
  };
}

/** What a reader finds in `.use`, without the token. */
export interface UseDigest extends UseFacts {
  readonly times: TokenTimes;
}

/**
 * Returns the times of `.use`: JSON with an access token, or a bare token on one line.
 * `mtime` in epoch seconds and `defaultLifetime` in seconds are used if neither the file
 * nor the token contains the times.
 */
export function digestUse(
  text: string,
  mtime: number,
  defaultLifetime: number,
): Parsed<TokenTimes> {
  const digest = digestUseFile(text, mtime, defaultLifetime);
  return digest.ok ? { ok: true, value: digest.value.times } : digest;
}

/**
 * Like {@link digestUse}, with all that is known of the times, and with `hashed` the hash
 * of a bare token.
 */
export function digestUseFile(
  text: string,
  mtime: number,
  defaultLifetime: number,
  hashed = false,
): Parsed<UseDigest> {
  const object = parseObject(text);
  if (!object.ok) {
    const token = bareToken(text, object.reason);
    if (!token.ok) return token;
    const stored = timesInFile({ access_token: token.value }, mtime, defaultLifetime);
    const hash = hashed ? { hash: tokenHash(token.value) } : {};
    return { ok: true, value: { ...stored, bare: true, ...hash } };
  }
  const token = object.value['access_token'];
  if (typeof token !== 'string' || token === '')
    return { ok: false, reason: 'has no "access_token" string' };
  const { times, assumed } = timesInFile(object.value, mtime, defaultLifetime);
  const beforeTop = object.value[STORED_BEFORE_TOP] === true;
  return {
    ok: true,
    value: { times: beforeTop ? { ...times, beforeTop } : times, assumed, bare: false },
  };
}

/** Returns the access token in the text of `.use`, JSON or bare, if any. */
export function accessTokenOf(text: string): string | undefined {
  const object = parseObject(text);
  if (object.ok) {
    const token = object.value['access_token'];
    return typeof token === 'string' && token !== '' ? token : undefined;
  }
  const token = bareToken(text, object.reason);
  return token.ok ? token.value : undefined;
}

/** Returns a bare token; `notJson` is why the text is no JSON object. */
function bareToken(text: string, notJson: string): Parsed<string> {
  const bare = text.trim();
  if (isJson(bare)) return { ok: false, reason: notJson };
  return /^[!#-Z\\^-z|~]+$/.test(bare)
    ? { ok: true, value: bare }
    : { ok: false, reason: `${notJson} and not a bare token` };
}

/** `null`, `5` and `true` look like bare tokens, but come from a faulty writer. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Most bare tokens are not JSON.
    return false;
  }
}

/** Parses `.meta`, without its secret. */
export function digestMeta(text: string): Parsed<MetaDigest> {
  const meta = parseMeta(text);
  if (!meta.ok) return meta;
  const {
    client_id: clientId,
    token_url: tokenUrl,
    use_refresh_token: useRefreshToken,
  } = meta.value;
  const isLast =
    lastMeta.clientId === clientId &&
    lastMeta.tokenUrl === tokenUrl &&
    lastMeta.useRefreshToken === useRefreshToken;
  if (!isLast) lastMeta = { clientId, tokenUrl, useRefreshToken };
  return { ok: true, value: lastMeta };
}

/** Thousands of tokens that wait for their renewal have the same client: one object for all. */
let lastMeta: MetaDigest = { clientId: '', tokenUrl: '', useRefreshToken: false };

/** Parses `.S.renewal`. Invalid contents count as no state, which costs one attempt. */
export function parseRenewal(text: string): RenewalState | undefined {
  const object = parseObject(text);
  if (!object.ok) return undefined;
  const { attempts, last_attempt, not_before, stopped, code, message, basis, outage } =
    object.value;
  const counted = [attempts, last_attempt, not_before].every(
    (value) => typeof value === 'number' && Number.isFinite(value),
  );
  if (
    !counted ||
    typeof stopped !== 'boolean' ||
    typeof message !== 'string' ||
    typeof basis !== 'string'
  )
    return undefined;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) return undefined;
  return {
    attempts: Number(attempts),
    last_attempt: Number(last_attempt),
    not_before: Number(not_before),
    stopped,
    code: code as ErrorCode,
    message,
    basis,
    ...(outage === true ? { outage } : {}),
  };
}

/** Returns the text of `.S.renewal`. */
export function renewalText(state: RenewalState): string {
  return `${JSON.stringify(state)}\n`;
}

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
