// Verifies a token of a test issuer as a resource server would.
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Issuer } from './issuer.ts';

/**
 * The claims of `token`.
 * @throws Error unless `issuer` signed it, for `audience` if given, and it has not
 * expired.
 */
export async function verifyToken(
  issuer: Issuer,
  token: string,
  audience?: string,
): Promise<JWTPayload> {
  const keys = createLocalJWKSet({ keys: [...issuer.jwks.keys] } as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, {
    issuer: issuer.url,
    ...(audience === undefined ? {} : { audience }),
  });
  return payload;
}

/**
 * The claims of a token that the owner of the public key in `pem` signed.
 * @throws Error unless he did, and it has not expired.
 */
export async function verifyWithPem(pem: string, token: string): Promise<JWTPayload> {
  return (await jwtVerify(token, createPublicKey(pem))).payload;
}

/** What a token says, whoever signed it. */
export function claimsOf(token: string): JWTPayload {
  return decodeJwt(token);
}
