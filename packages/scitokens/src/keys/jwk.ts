// JSON Web Keys: conversion to and from Node's keys (tolerates padding and lost zeros
// when reading, exact when writing), a published key set for verification (which key
// matches a token's header), and the two files that an issuer publishes.
import { ALGORITHMS, type Algorithm, algorithmFor, isAlgorithm } from '../token/algorithms.ts';
import { type JsonObject, decodeNumber, encodeBase64url, isObject } from '../token/compact.ts';
import { CodedError } from '@credmon/core/base';
import { type JsonWebKey, type KeyObject, createPrivateKey, createPublicKey } from 'node:crypto';

const CURVE_BYTES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.values(ALGORITHMS).flatMap(({ curve, coordinateBytes }) =>
    curve === undefined || coordinateBytes === undefined ? [] : [[curve, coordinateBytes]],
  ),
);
const RSA_PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
/** A larger modulus only costs the verifier time. */
const MAX_RSA_BYTES = 1024;

/**
 * Creates a key from a JWK (RSA, or EC on P-256, P-384, P-521); private if it has `d`.
 * Repairs padding and missing leading zeros.
 * @throws CodedError `TOKEN_KEY_INVALID` for other types, damaged numbers, points off the
 * curve and RSA exponents that allow anybody to sign
 * @see RFC 7518 section 6
 */
export function keyFromJwk(jwk: JsonObject): KeyObject {
  const repaired = jwk['kty'] === 'RSA' ? repairRsa(jwk) : repairEc(jwk);
  try {
    const input = { key: repaired, format: 'jwk' } as const;
    return repaired.d === undefined ? createPublicKey(input) : createPrivateKey(input);
  } catch (error) {
    throw badKey('inconsistent numbers', error);
  }
}

function repairRsa(jwk: JsonObject): JsonWebKey {
  const [n, e] = [numberOf(jwk, 'n'), numberOf(jwk, 'e')];
  if (n.length > MAX_RSA_BYTES) throw badKey(`modulus longer than ${MAX_RSA_BYTES * 8} bits`);
  if (e.length > 8 || (e.at(-1) ?? 0) % 2 === 0 || (e.length === 1 && e[0] === 1))
    throw badKey('unsafe exponent');
  const secret =
    jwk['d'] === undefined
      ? []
      : RSA_PRIVATE.map((name) => [name, encodeBase64url(numberOf(jwk, name))]);
  return {
    kty: 'RSA',
    n: encodeBase64url(n),
    e: encodeBase64url(e),
    ...Object.fromEntries(secret),
  };
}

function repairEc(jwk: JsonObject): JsonWebKey {
  const curve = jwk['crv'];
  const bytes =
    typeof curve === 'string' && Object.hasOwn(CURVE_BYTES, curve) ? CURVE_BYTES[curve] : undefined;
  if (jwk['kty'] !== 'EC' || typeof curve !== 'string' || bytes === undefined)
    throw badKey('must be RSA, or EC on P-256, P-384 or P-521');
  const filled = (name: string): string => {
    const number = numberOf(jwk, name);
    if (number.length > bytes) throw badKey(`${name} is too long for ${curve}`);
    return encodeBase64url(Buffer.concat([Buffer.alloc(bytes - number.length), number]));
  };
  const secret = jwk['d'] === undefined ? {} : { d: filled('d') };
  return { kty: 'EC', crv: curve, x: filled('x'), y: filled('y'), ...secret };
}

function numberOf(jwk: JsonObject, name: string): Buffer {
  const text = jwk[name];
  const number = typeof text === 'string' ? decodeNumber(text) : undefined;
  if (number === undefined) throw badKey(`${name} is missing or not base64url`);
  return number;
}

/** Creates an error about a key. Does not quote its numbers. */
export function badKey(problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_KEY_INVALID', `invalid key: ${problem}`, { problem }, cause);
}

/**
 * Returns the public key as a JWK without other members; numbers unpadded, coordinates
 * with full length.
 */
export function publicJwk(key: KeyObject): JsonWebKey {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
}

/**
 * Returns a JWK for publication or storage: the key's numbers with `alg`, `use` and
 * `kid`, members in alphabetical order.
 */
export function writeJwk(
  key: KeyObject,
  kid: string | undefined,
  algorithm: Algorithm,
  secret = false,
): JsonObject {
  const numbers = secret ? key.export({ format: 'jwk' }) : publicJwk(key);
  const members = {
    ...numbers,
    alg: algorithm,
    ...(secret ? {} : { use: 'sig' }),
    ...(kid === undefined ? {} : { kid }),
  };
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Formats JSON for key files and published documents: indentation of four blanks, a
 * newline at the end.
 */
export function writeJson(document: JsonObject): string {
  return `${JSON.stringify(document, null, 4)}\n`;
}

/** A key for one algorithm. */
export interface VerificationKey {
  readonly kid: string | undefined;
  readonly algorithm: Algorithm;
  readonly publicKey: KeyObject;
}

/**
 * A parsed key set. Keys are created on first use, so a damaged one does not affect the
 * others.
 */
export interface KeySet {
  /** The set as it was read, for storage and publication. */
  readonly document: JsonObject;
  readonly kids: readonly string[];
  /**
   * Returns the key for a token with `kid` (or without one).
   * @throws CodedError `TOKEN_UNKNOWN_KEY`, `TOKEN_KEY_INVALID`, `TOKEN_BAD_ALGORITHM`
   */
  select(kid: string | undefined): VerificationKey;
}

/** The maximum number of keys in a set. */
export const MAX_KEYS = 100;

/**
 * Reads a JWKS from its parsed JSON.
 * @throws CodedError `ISSUER_METADATA_INVALID` if it is not an object with an array
 * `keys`, or has too many
 * @see RFC 7517 section 5
 */
export function readKeySet(document: unknown): KeySet {
  const entries: unknown = isObject(document) ? document['keys'] : undefined;
  if (!isObject(document) || !Array.isArray(entries))
    throw badSet('not an object with an array "keys"');
  if (entries.length > MAX_KEYS) throw badSet(`more than ${MAX_KEYS} keys`);
  const keys: readonly unknown[] = entries;
  const made = new Map<JsonObject, VerificationKey>();
  const kids = keys.flatMap((key) =>
    isObject(key) && typeof key['kid'] === 'string' ? [key['kid']] : [],
  );
  return {
    document,
    kids,
    select(kid) {
      const jwk = find(keys, kid);
      const key = made.get(jwk) ?? makeKey(jwk);
      made.set(jwk, key);
      return key;
    },
  };
}

function badSet(problem: string): CodedError {
  return new CodedError('ISSUER_METADATA_INVALID', `invalid key set: ${problem}`, {
    problem,
  });
}

/**
 * An empty kid counts as none. Without a kid the set must have exactly one key, of any
 * type.
 */
function find(keys: readonly unknown[], kid: string | undefined): JsonObject {
  const named = kid !== undefined && kid !== '';
  const key = named ? keys.find((one) => isObject(one) && one['kid'] === kid) : keys[0];
  if (isObject(key) && (named || keys.length === 1)) return key;
  const problem = named
    ? 'unknown key id: not published by the issuer'
    : `the token has no key id, but the issuer publishes ${keys.length} keys`;
  throw new CodedError('TOKEN_UNKNOWN_KEY', problem, named ? { kid: kid.slice(0, 200) } : {});
}

/** `alg` determines the algorithm; without it the type of the key does. */
function makeKey(jwk: JsonObject): VerificationKey {
  const { kid, alg, kty } = jwk;
  if (typeof alg === 'string' && (!isAlgorithm(alg) || ALGORITHMS[alg].kty !== kty))
    throw badKey(
      `published for the algorithm ${JSON.stringify(alg.slice(0, 20))}, which does not match its type`,
    );
  const { d: _secret, ...open } = jwk;
  // Key sets of scitokens-cpp omit the curve if the algorithm determines it.
  const publicKey = keyFromJwk(alg === 'ES256' ? { crv: 'P-256', ...open } : open);
  const algorithm = algorithmFor(publicKey, typeof alg === 'string' ? alg : undefined);
  return { kid: typeof kid === 'string' ? kid : undefined, algorithm, publicKey };
}

/** A file below the issuer's URL. */
export interface PublishedFile {
  readonly path: string;
  readonly text: string;
}

const METADATA_PATH = '.well-known/openid-configuration';
const KEYS_PATH = '.well-known/jwks.json';

/**
 * Returns the files of an issuer, the key set first: a verifier that reads between the
 * two finds no key id without a key.
 * @param keys public JWKs, for instance from {@link writeKey}
 * @throws CodedError `ENDPOINT_REFUSED` if the issuer is not an https URL,
 * `TOKEN_KEY_INVALID` if a key is private
 */
export function publishedFiles(
  issuer: string,
  keys: readonly JsonObject[],
): readonly PublishedFile[] {
  if (!URL.canParse(issuer) || new URL(issuer).protocol !== 'https:' || /[?#]/.test(issuer))
    throw new CodedError(
      'ENDPOINT_REFUSED',
      `the issuer ${JSON.stringify(issuer)} is not a plain https URL`,
      { issuer },
    );
  const keySet = keySetText(keys);
  const algorithms = [...new Set(keys.map((key) => key['alg'] as Algorithm))].sort();
  const metadata = {
    issuer,
    jwks_uri: `${issuer.replace(/\/$/, '')}/${KEYS_PATH}`,
    response_types_supported: ['token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
  };
  return [
    { path: KEYS_PATH, text: keySet },
    { path: METADATA_PATH, text: writeJson(metadata) },
  ];
}

/**
 * Returns a key set as text.
 * @throws CodedError `TOKEN_KEY_INVALID` if a key is private
 * @see RFC 7517, section 5
 */
export function keySetText(keys: readonly JsonObject[]): string {
  if (keys.some((key) => ['d', 'p', 'q', 'k'].some((secret) => Object.hasOwn(key, secret))))
    throw new CodedError('TOKEN_KEY_INVALID', 'private key in a public key set; pass public JWKs');
  return writeJson({ keys });
}
