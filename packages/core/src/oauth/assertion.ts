// The signed assertion by which a client authenticates without a secret
// (private_key_jwt).
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { CodedError, type Random } from '../base/index.ts';

/**
 * A client's key: PEM text (PKCS#8, SEC1 or PKCS#1), and the key id of its public key at
 * the issuer.
 */
export interface ClientKey {
  readonly clientId: string;
  readonly pem: string;
  readonly keyId: string | undefined;
}

/** The lifetime of an assertion, in seconds: it is used at once. */
const LIFETIME = 60;

const CURVES: Readonly<Record<string, { readonly alg: string; readonly hash: string }>> = {
  prime256v1: { alg: 'ES256', hash: 'sha256' },
  secp384r1: { alg: 'ES384', hash: 'sha384' },
  secp521r1: { alg: 'ES512', hash: 'sha512' },
};

/**
 * Returns an assertion for `audience`, the issuer's identifier, with a new `jti`. `now`
 * in epoch seconds.
 * @throws CodedError `SECRET_UNREADABLE` if the text is not a private key, or of a type
 * that issuers do not support
 * @see RFC 7523, sections 2.2 and 3; OpenID Connect Core 1.0, section 9
 */
export function clientAssertion(
  key: ClientKey,
  audience: string,
  now: number,
  random: Random,
): string {
  const privateKey = keyIn(key);
  const { alg, hash } = algorithmOf(privateKey);
  const issued = Math.floor(now);
  const header = { alg, typ: 'JWT', kid: key.keyId };
  const claims = {
    iss: key.clientId,
    sub: key.clientId,
    aud: audience,
    jti: Buffer.from(random(16)).toString('base64url'),
    iat: issued,
    nbf: issued,
    exp: issued + LIFETIME,
  };
  const input = `${encoded(header)}.${encoded(claims)}`;
  const signature = sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function keyIn({ pem }: ClientKey): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's message does not help, and might quote the key.
    throw unusable('is not a PEM private key');
  }
}

function algorithmOf(key: KeyObject): { readonly alg: string; readonly hash: string } {
  if (key.asymmetricKeyType === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  const found =
    key.asymmetricKeyType === 'ec' ? CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
  if (found) return found;
  throw unusable(`has an unsupported type (${key.asymmetricKeyType ?? 'unknown'})`);
}

function unusable(problem: string): CodedError {
  return new CodedError(
    'SECRET_UNREADABLE',
    `the client key ${problem}; fix: create an RSA or EC (P-256) key and register its public key`,
    { problem },
  );
}
