// A published key set for verification (which key matches a token's header), and the two
// files that an issuer publishes.
import { ALGORITHMS, type Algorithm, algorithmFor, isAlgorithm } from '../token/algorithms.ts';
import { type JsonObject, isObject } from '../token/compact.ts';
import { badKey, keyFromJwk } from './jwk.ts';
import { writeJson } from './keys.ts';
import { CodedError } from '@credmon/core/base';
import type { KeyObject } from 'node:crypto';

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
