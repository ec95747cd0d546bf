// A published key set for verification: which key matches a token's header, and its only
// algorithm.
import type { KeyObject } from 'node:crypto';
import { CodedError } from '@credmon/core/base';
import { ALGORITHMS, algorithmFor, isAlgorithm, type Algorithm } from '../token/algorithms.ts';
import { isObject, type JsonObject } from '../token/compact.ts';
import { badKey, keyFromJwk } from './jwk.ts';

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
