// Security headers, rate limits, load shedding, and the check for https.
import fastifyFormbody from '@fastify/formbody';
import fastifyHelmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifyUnderPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/page-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * True for routes that may be requested without TLS, by a monitor or another daemon.
     */
    plain?: boolean;
  }
}

/** Registers helmet, rate limits, load shedding and form bodies. */
export async function registerSecurity(
  app: FastifyInstance,
  { settings, ports }: PortalContext,
): Promise<void> {
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: contentPolicy([]),
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: settings.secure
      ? { maxAge: 31_536_000, includeSubDomains: false }
      : false,
  });
  await app.register(fastifyRateLimit, {
    max: settings.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => rateKey(request.ip),
  });
  await app.register(fastifyUnderPressure, {
    maxEventLoopDelay: settings.overloadSeconds * 1000,
    retryAfter: 10,
  });
  await app.register(fastifyFormbody, { bodyLimit: 16_384 });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (
      !settings.secure ||
      request.protocol === 'https' ||
      request.routeOptions.config.plain === true
    )
      return;
    ports.log.warn(
      'request without https; fix: the proxy must send X-Forwarded-Proto and be listed in CREDMON_WEB_TRUSTED_PROXIES',
    );
    throw pageError('not-https');
  });
}

/** Security headers for invalid URLs: Fastify answers them before any plugin runs. */
export const BARE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Returns the key of the rate limit. IPv6 clients share one limit per /64. If a proxy on
 * a unix socket sends no client address, all clients share one limit.
 */
export function rateKey(ip: string | undefined): string {
  if (ip === undefined || ip === '') return 'unknown';
  if (!ip.includes(':') || ip.includes('.')) return ip;
  const [head = '', tail] = ip.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeros, ...back].slice(0, 4).join(':');
}

/**
 * Allows the forms of this page to redirect to these issuers: browsers apply form-action
 * also to the redirect after a form.
 */
export function allowFormsTo(reply: FastifyReply, origins: readonly string[]): void {
  reply.helmet({ contentSecurityPolicy: contentPolicy(origins) });
}

type ContentPolicy = Exclude<FastifyHelmetOptions['contentSecurityPolicy'], boolean | undefined>;

function contentPolicy(origins: readonly string[]): ContentPolicy {
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: ["'self'", ...new Set(origins)],
    },
  };
}
