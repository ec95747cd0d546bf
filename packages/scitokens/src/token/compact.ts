// Takes a compact JWS apart without believing any of it; what comes out is well-formed,
// nothing more.
import { isUtf8 } from 'node:buffer';
import { CodedError } from '@credmon/core/base';

/**
 * Longest token that is looked at, in characters. HTCondor itself refuses tokens of 16
 * KiB.
 */
const MAX_TOKEN_LENGTH: number = 64 * 1024;

/** A JSON object as it was read; members are checked where they are used. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A JWS header with the members that matter here. */
export interface TokenHeader extends JsonObject {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
}

/** The parts of a compact JWS. `claims` is unverified. */
export interface CompactToken {
  readonly header: TokenHeader;
  readonly claims: JsonObject;
  /** Header and payload as they were signed. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

const TIMES = ['exp', 'nbf', 'iat'];

/**
 * Reads header, claims and signature of a token. The signature is not checked.
 * @throws CodedError `TOKEN_MALFORMED`; `TOKEN_BAD_CLAIM` when a time is not a plain
 * integer.
 * @see RFC 7515 section 7.1
 */
export function readCompact(token: string): CompactToken {
  if (token.length > MAX_TOKEN_LENGTH)
    throw malformed(`is longer than ${MAX_TOKEN_LENGTH} characters`);
  const parts = token.split('.', 4);
  const [header, payload, signature] = parts;
  if (
    header === undefined ||
    payload === undefined ||
    signature === undefined ||
    parts.length !== 3
  )
    throw malformed('does not have three parts');
  const bytes = decodeBase64url(signature);
  if (bytes === undefined) throw malformed('has a signature that is not base64url');
  const claims = readObject(payload, 'payload');
  checkTimes(claims.value, claims.text);
  return {
    header: checkHeader(readObject(header, 'header').value),
    claims: claims.value,
    signingInput: token.slice(0, header.length + 1 + payload.length),
    signature: bytes,
  };
}

function malformed(problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_MALFORMED', `the token ${problem}`, { problem }, cause);
}

function readObject(part: string, name: string): { value: JsonObject; text: string } {
  const bytes = decodeBase64url(part);
  if (bytes === undefined || !isUtf8(bytes))
    throw malformed(`has a ${name} that is not base64url of UTF-8`);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the token.
    throw malformed(`has a ${name} that is not JSON`);
  }
  if (!isObject(value)) throw malformed(`has a ${name} that is not a JSON object`);
  return { value, text };
}

/** True for a JSON object, false for arrays, null and the rest. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkHeader(header: JsonObject): TokenHeader {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') throw malformed('has no algorithm in its header');
  if (kid !== undefined && typeof kid !== 'string')
    throw malformed('has a key id that is not a string');
  if (typ !== undefined && typeof typ !== 'string')
    throw malformed('has a type that is not a string');
  // No extension is understood here, so RFC 7515 section 4.1.11 leaves only refusal.
  if (Object.hasOwn(header, 'crit'))
    throw malformed('demands critical extensions that nobody here knows');
  return {
    ...header,
    alg,
    ...(kid === undefined ? {} : { kid }),
    ...(typ === undefined ? {} : { typ }),
  };
}

function checkTimes(claims: JsonObject, text: string): void {
  for (const name of TIMES) {
    const value = claims[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || !isPlainInteger(text, name)) {
      throw new CodedError(
        'TOKEN_BAD_CLAIM',
        `the claim ${name} is not an integer number of seconds`,
        {
          claim: name,
        },
      );
    }
  }
}

// Finds times that are written with a fraction or an exponent: JSON.parse turns `4.1e9`
// into an integer, verifiers in other languages do not.

const SUSPECT = /\d(?:\.\d|[eE])/;

/**
 * True when the member `name` of the outermost object in `json` (valid JSON) is written
 * as a plain integer. Of several members with that name the last counts, as in
 * JSON.parse.
 */
export function isPlainInteger(json: string, name: string): boolean {
  if (!SUSPECT.test(json)) return true;
  let plain = true;
  let depth = 0;
  let member: string | undefined;
  // A string, a bracket, or a run of anything else that matters; white space, colons and
  // commas fall between.
  for (const [text] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]|[^\s"[\]{},:]+/g)) {
    if (text === '{' || text === '[') depth += 1;
    else if (text === '}' || text === ']') depth -= 1;
    if (depth !== 1) continue;
    if (member === undefined) {
      member = text.startsWith('"') ? (JSON.parse(text) as string) : undefined;
    } else {
      if (member === name) plain = /^-?\d+$/.test(text);
      member = undefined;
    }
  }
  return plain;
}

// Base64url where it must be exact: Node's decoder skips what it does not know, a
// verifier must not.

/**
 * Bytes of unpadded base64url (RFC 7515 section 2), or `undefined` for any other text.
 */
function decodeBase64url(text: string): Buffer | undefined {
  return text.length % 4 !== 1 && /^[\w-]*$/.test(text)
    ? Buffer.from(text, 'base64url')
    : undefined;
}

/**
 * The number in a JWK member, as bytes without leading zeros: padding is tolerated,
 * because the Python library's key files have it. `undefined` for other text and for
 * zero.
 */
export function decodeNumber(text: string): Buffer | undefined {
  const bytes = decodeBase64url(text.replace(/={1,2}$/, ''));
  const start = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  return start < 0 ? undefined : bytes?.subarray(start);
}

/** Unpadded base64url. */
export function encodeBase64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as string).toString('base64url');
}
