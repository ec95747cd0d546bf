// Verifies a token of a test issuer like a resource server.
import { createPublicKey } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Issuer } from './issuer.ts';

/**
 * Returns the claims of `token`.
 * @throws Error unless `issuer` signed it, for `audience` if given, and it has not
 * expired at `now`, by default this moment
 */
export async function verifyToken(
  issuer: Issuer,
  token: string,
  audience?: string,
  now?: Date,
): Promise<JWTPayload> {
  const keys = createLocalJWKSet({ keys: [...issuer.jwks.keys] } as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, {
    issuer: issuer.url,
    ...(audience === undefined ? {} : { audience }),
    ...(now === undefined ? {} : { currentDate: now }),
  });
  return payload;
}

/**
 * Returns the claims of a token that was signed with the private key of `pem`.
 * @throws Error if the signature is invalid or the token has expired
 */
export async function verifyWithPem(pem: string, token: string): Promise<JWTPayload> {
  return (await jwtVerify(token, createPublicKey(pem))).payload;
}

/** Returns the claims of a token without verifying it. */
export function claimsOf(token: string): JWTPayload {
  return decodeJwt(token);
}
