// Verifies a token of a test issuer as a resource server would.
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import type { Issuer } from './issuer.ts';

/** The claims of `token`. @throws Error unless `issuer` signed it, for `audience` if given, and it has not expired. */
export async function verifyToken(issuer: Issuer, token: string, audience?: string): Promise<JWTPayload> {
  const keys = createLocalJWKSet({ keys: [...issuer.jwks.keys] } as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, {
    issuer: issuer.url,
    ...(audience === undefined ? {} : { audience }),
  });
  return payload;
}
