// Shared by the tests of this package: a fixed time, fixed random numbers, keys and a
// plain request.
import {
  createKey,
  readKeySet,
  writeKey,
  type KeySet,
  type SigningKey,
  type TokenRequest,
} from '../src/index.ts';

/** The time of the tests, in epoch seconds, with a fraction to test rounding. */
export const NOW = 1_790_000_000.75;

/** Ascending bytes, so that ids can be compared. */
export const steadyRandom = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => index);

export const MOMENT = { now: NOW, random: steadyRandom };
export const EC: SigningKey = createKey({ kid: 'ec' });
export const RSA: SigningKey = createKey({ algorithm: 'RS256', kid: 'rsa' });

/** The published set of some keys. */
export function publish(...keys: SigningKey[]): KeySet {
  const jwks = keys.map(({ kid, algorithm, privateKey: key }) =>
    JSON.parse(writeKey({ key, kid, algorithm }, 'jwk-public')),
  );
  return readKeySet({ keys: jwks });
}

/** A request for a plain SciToken, with changes. */
export function request(changes: Partial<TokenRequest> = {}): TokenRequest {
  return {
    profile: 'scitoken:2.0',
    issuer: 'https://issuer.test/vo',
    subject: 'alice',
    scope: 'read:/home/alice',
    audience: 'https://storage.test',
    lifetime: 600,
    ...changes,
  };
}
