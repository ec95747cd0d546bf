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
 * @throws CodedError `TOKEN_MALFORMED`; `TOKEN_BAD_CLAIM` if a time is not a number
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
  checkTimes(claims);
  return {
    header: checkHeader(readObject(header, 'header')),
    claims,
    signingInput: token.slice(0, header.length + 1 + payload.length),
    signature: bytes,
  };
}

function malformed(problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_MALFORMED', `the token ${problem}`, { problem }, cause);
}

function readObject(part: string, name: string): JsonObject {
  const bytes = decodeBase64url(part);
  if (bytes === undefined || !isUtf8(bytes))
    throw malformed(`has a ${name} that is not base64url of UTF-8`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's message would quote the token.
    throw malformed(`has a ${name} that is not JSON`);
  }
  if (!isObject(value)) throw malformed(`has a ${name} that is not a JSON object`);
  return value;
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

/**
 * Any finite JSON number is a time: it may have a fraction, an exponent, or be far in the
 * future.
 * @see RFC 7519 section 2, "NumericDate"
 */
function checkTimes(claims: JsonObject): void {
  for (const name of TIMES) {
    const value = claims[name];
    if (value !== undefined && !Number.isFinite(value))
      throw new CodedError('TOKEN_BAD_CLAIM', `the claim ${name} is not a number of seconds`, {
        claim: name,
      });
  }
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
