// Headers, limits and the demand for https: what keeps pages from being framed, injected,
// guessed at or overrun.
import fastifyFormbody from '@fastify/formbody';
import fastifyHelmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifyUnderPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/page-error.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for routes that a monitor or another daemon may ask without TLS. */
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
      'a request came without https: the proxy must send X-Forwarded-Proto and stand in CREDMON_WEB_TRUSTED_PROXIES',
    );
    throw pageError('not-https');
  });
}

/**
 * The headers of an answer that is given before any plugin sees the request: to a URL
 * that cannot be read.
 */
export const BARE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Behind a unix socket whose proxy names no client, all clients share one limit; IPv6
 * clients share one for each /64.
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
 * Lets this page's forms lead to these issuers as well: a browser may hold the redirect
 * that follows a form against form-action.
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
