// ID tokens as an issuer signs them, for tests with a fake issuer.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A key of an issuer: ES256, with its public half for the key set. */
export interface IdTokenKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Readonly<Record<string, unknown>>;
}

/** Creates a key. */
export function idTokenKey(kid = 'id-1'): IdTokenKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' };
  return { kid, privateKey, jwk };
}

/** The key of the fake issuer in this process. */
export const ISSUER_KEY: IdTokenKey = idTokenKey();

const encoded = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** Returns an ID token with these claims. `header` replaces members of the usual header. */
export function signedIdToken(
  claims: Readonly<Record<string, unknown>>,
  key: IdTokenKey = ISSUER_KEY,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const input = `${encoded({ alg: 'ES256', kid: key.kid, ...header })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(input), {
    key: key.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}
