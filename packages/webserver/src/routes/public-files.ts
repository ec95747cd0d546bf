// Routes without a session: the style sheet, the icon, and the public keys.
import type { FastifyInstance } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { publicKeySet } from './public-keys.ts';

/** Adds /style.css and /icon.svg. */
export function assetRoutes(app: FastifyInstance, { ports }: PortalContext): void {
  const cached = 'public, max-age=3600';
  const options = { config: { anyHost: true } };
  app.get('/style.css', options, (_request, reply) =>
    reply
      .header('cache-control', cached)
      .type('text/css; charset=utf-8')
      .send(ports.views.styleSheet),
  );
  app.get('/icon.svg', options, (_request, reply) =>
    reply.header('cache-control', cached).type('image/svg+xml').send(ports.views.icon),
  );
}

// /.well-known/...: the public keys for verifiers of locally issued tokens.

/** Cache lifetime of the answers, in seconds. */
const CACHE_SECONDS = 300;

/**
 * Adds openid-configuration and jwks-uri. The files are read for each request, so that a
 * new key is published at once.
 * @see OpenID Connect Discovery 1.0, section 4; RFC 7517
 */
export function wellKnownRoutes(app: FastifyInstance, { settings, ports }: PortalContext): void {
  const { issuer, keyId } = settings.localIssuer;
  const options = { config: { plain: true } };
  app.get('/.well-known/openid-configuration', options, (_request, reply) =>
    reply
      .header('cache-control', `public, max-age=${CACHE_SECONDS}`)
      .send({ issuer, jwks_uri: `${settings.prefix}/.well-known/jwks-uri` }),
  );
  app.get('/.well-known/jwks-uri', options, async (_request, reply) => {
    const keys = await publicKeySet({
      sets: ports.readKeySets(),
      pem: ports.readPublicKey(),
      keyId,
    });
    return reply.header('cache-control', `public, max-age=${CACHE_SECONDS}`).send({ keys });
  });
}
