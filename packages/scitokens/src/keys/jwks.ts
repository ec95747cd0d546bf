// A published key set as verifiers use it: which key a token's header selects, and with
// which algorithm alone it may be used.
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
 * A parsed key set. Keys are made when they are first asked for, so a damaged one harms
 * nobody else.
 */
export interface KeySet {
  /** The set as it was read, to be stored and published again. */
  readonly document: JsonObject;
  readonly kids: readonly string[];
  /**
   * The key that a token with `kid` (or without one) is signed with.
   * @throws CodedError `TOKEN_UNKNOWN_KEY`, `TOKEN_KEY_INVALID`, `TOKEN_BAD_ALGORITHM`.
   */
  select(kid: string | undefined): VerificationKey;
}

/** Most keys that a set may hold. */
export const MAX_KEYS = 100;

/**
 * Reads a JWKS from its parsed JSON.
 * @throws CodedError `ISSUER_METADATA_INVALID` when it is not an object with an array
 * `keys`, or has too many.
 * @see RFC 7517 section 5
 */
export function readKeySet(document: unknown): KeySet {
  const entries: unknown = isObject(document) ? document['keys'] : undefined;
  if (!isObject(document) || !Array.isArray(entries))
    throw badSet('it is not an object with an array "keys"');
  if (entries.length > MAX_KEYS) throw badSet(`it holds more than ${MAX_KEYS} keys`);
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
  return new CodedError('ISSUER_METADATA_INVALID', `the key set is not usable: ${problem}`, {
    problem,
  });
}

/**
 * An empty kid counts as none; without one the set must hold exactly one key, of whatever
 * kind.
 */
function find(keys: readonly unknown[], kid: string | undefined): JsonObject {
  const named = kid !== undefined && kid !== '';
  const key = named ? keys.find((one) => isObject(one) && one['kid'] === kid) : keys[0];
  if (isObject(key) && (named || keys.length === 1)) return key;
  const problem = named
    ? 'the issuer does not publish the key that the token names'
    : `the token names no key and the issuer publishes ${keys.length}`;
  throw new CodedError('TOKEN_UNKNOWN_KEY', problem, named ? { kid: kid.slice(0, 200) } : {});
}

/** `alg` binds the key; without it the key's type does. */
function makeKey(jwk: JsonObject): VerificationKey {
  const { kid, alg, kty } = jwk;
  if (typeof alg === 'string' && (!isAlgorithm(alg) || ALGORITHMS[alg].kty !== kty))
    throw badKey(
      `it is published for the algorithm ${JSON.stringify(alg.slice(0, 20))}, which is not its own`,
    );
  const { d: _secret, ...open } = jwk;
  // Key sets made with scitokens-cpp name no curve where the algorithm leaves only one.
  const publicKey = keyFromJwk(alg === 'ES256' ? { crv: 'P-256', ...open } : open);
  const algorithm = algorithmFor(publicKey, typeof alg === 'string' ? alg : undefined);
  return { kid: typeof kid === 'string' ? kid : undefined, algorithm, publicKey };
}
