// The signing keys of a test issuer: RSA for ID tokens, an elliptic curve for access
// tokens.
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'oidc-provider';

const made = new Map<string, JWK[]>();

/**
 * Returns the private keys of the issuer `name`, each with `alg` and `kid`. Created once
 * per process, because RSA is slow.
 */
export function signingKeys(name: string): JWK[] {
  const keys = made.get(name) ?? newKeys();
  made.set(name, keys);
  return keys;
}

function newKeys(): JWK[] {
  const pairs = [
    { alg: 'RS256', pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) },
    { alg: 'ES256', pair: generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  ];
  return pairs.map(({ alg, pair }) => {
    const key = pair.privateKey.export({ format: 'jwk' });
    const digest = createHash('sha256').update(
      pair.publicKey.export({ type: 'spki', format: 'der' }),
    );
    return { ...key, alg, use: 'sig', kid: digest.digest('hex').slice(0, 16) };
  });
}

const PUBLIC = ['kty', 'crv', 'x', 'y', 'n', 'e', 'alg', 'use', 'kid'];

/** Returns the public part of the keys. */
export function publicKeys(keys: readonly JWK[]): JWK[] {
  return keys.map(
    (key) =>
      Object.fromEntries(Object.entries(key).filter(([name]) => PUBLIC.includes(name))) as JWK,
  );
}
