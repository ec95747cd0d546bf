// /.well-known/...: where verifiers of locally issued tokens find the public key.
import { createPublicKey } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { exportJWK, type JWK } from 'jose';
import { CodedError } from '@credmon/core/base';
import type { Desk } from '../flow/desk.ts';

/** How long verifiers may keep the answers, in seconds. */
const CACHE_SECONDS = 300;

/**
 * Adds openid-configuration and jwks-uri.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 7517
 */
export function wellKnownRoutes(app: FastifyInstance, { settings, ports }: Desk): void {
  const { issuer, keyId } = settings.localIssuer;
  const options = { config: { plain: true } };
  app.get('/.well-known/openid-configuration', options, (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${CACHE_SECONDS}`)
      .send({ issuer, jwks_uri: `${settings.prefix}/.well-known/jwks-uri` }),
  );
  app.get('/.well-known/jwks-uri', options, async (_request, reply) => {
    const keys = [await publicJwk(ports.readPublicKey(), keyId)];
    return reply.header('cache-control', `public, max-age=${CACHE_SECONDS}`).send({ keys });
  });
}

/** The JWK of a PEM public key. @throws CodedError `CRED_FILE_IO` when it is none, or of a kind that no token is signed with */
export async function publicJwk(pem: string, keyId: string): Promise<JWK> {
  let jwk: JWK;
  try {
    jwk = await exportJWK(createPublicKey(pem));
  } catch (error) {
    throw new CodedError(
      'CRED_FILE_IO',
      'LOCAL_CREDMON_PUBLIC_KEY is not a public key in PEM form',
      {},
      error,
    );
  }
  const algorithm = jwk['kty'] === 'RSA' ? 'RS256' : jwk['crv'] === 'P-256' ? 'ES256' : undefined;
  if (algorithm === undefined)
    throw new CodedError('CRED_FILE_IO', 'LOCAL_CREDMON_PUBLIC_KEY is neither an RSA nor a P-256 key');
  return { ...jwk, kid: keyId, alg: algorithm, use: 'sig' };
}
