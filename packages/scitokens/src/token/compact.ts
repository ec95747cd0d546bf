// Parses a compact JWS without verification: the result is well-formed, nothing more.
import { isUtf8 } from 'node:buffer';
import { CodedError } from '@credmon/core/base';

/**
 * The maximum length of a token, in characters. HTCondor itself rejects tokens of 16 KiB.
 */
const MAX_TOKEN_LENGTH: number = 64 * 1024;

/** A JSON object as read; members are checked before use. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A JWS header with the used members. */
export interface TokenHeader extends JsonObject {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
}

/** The parts of a compact JWS. `claims` is unverified. */
export interface CompactToken {
  readonly header: TokenHeader;
  readonly claims: JsonObject;
  /** Header and payload as signed. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

const TIMES = ['exp', 'nbf', 'iat'];

/**
 * Parses header, claims and signature of a token. Does not verify the signature.
 * @throws CodedError `TOKEN_MALFORMED`; `TOKEN_BAD_CLAIM` if a time is not a plain
 * integer
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
    // The parser's message would quote the token.
    throw malformed(`has a ${name} that is not JSON`);
  }
  if (!isObject(value)) throw malformed(`has a ${name} that is not a JSON object`);
  return { value, text };
}

/** True for a JSON object, false for arrays, null and others. */
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
  // No extension is supported here, so RFC 7515 section 4.1.11 requires rejection.
  if (Object.hasOwn(header, 'crit'))
    throw malformed('requires critical extensions, which are not supported');
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

// Detects times with a fraction or an exponent: JSON.parse accepts `4.1e9` as an integer,
// verifiers in other languages do not.

const SUSPECT = /\d(?:\.\d|[eE])/;

/**
 * True if the member `name` of the outermost object in `json` (valid JSON) is written as
 * a plain integer. The last of several members with that name counts, like in JSON.parse.
 */
export function isPlainInteger(json: string, name: string): boolean {
  if (!SUSPECT.test(json)) return true;
  let plain = true;
  let depth = 0;
  let member: string | undefined;
  // A string, a bracket, or a run of other significant characters; skips white space,
  // colons and commas.
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

// Strict base64url: Node's decoder skips invalid characters, a verifier must not.

/**
 * Decodes unpadded base64url (RFC 7515 section 2); returns `undefined` for other texts.
 */
function decodeBase64url(text: string): Buffer | undefined {
  return text.length % 4 !== 1 && /^[\w-]*$/.test(text)
    ? Buffer.from(text, 'base64url')
    : undefined;
}

/**
 * Decodes the number in a JWK member to bytes without leading zeros. Padding is accepted,
 * because the Python library's key files have it. Returns `undefined` for other texts and
 * for zero.
 */
export function decodeNumber(text: string): Buffer | undefined {
  const bytes = decodeBase64url(text.replace(/={1,2}$/, ''));
  const start = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  return start < 0 ? undefined : bytes?.subarray(start);
}

/** Encodes as unpadded base64url. */
export function encodeBase64url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as string).toString('base64url');
}
