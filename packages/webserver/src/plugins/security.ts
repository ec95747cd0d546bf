// The security of every request: headers, rate limits, load shedding, and the check for
// https.
import fastifyFormbody from '@fastify/formbody';
import fastifyRateLimit from '@fastify/rate-limit';
import fastifyUnderPressure from '@fastify/under-pressure';
import helmet from 'helmet';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { pageError, pageFor, preparedError, sendBare } from '../pages/send-page.ts';
import type { Settings } from '../settings/settings.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * True for routes that may be requested without TLS, by a monitor or another daemon.
     */
    plain?: boolean;
  }
}

/**
 * Registers security headers, rate limits, load shedding and form bodies. The limit comes
 * before everything that costs more than a look at the address.
 */
export async function registerSecurity(
  app: FastifyInstance,
  context: PortalContext,
): Promise<void> {
  const { settings, ports } = context;
  await registerRateLimit(app, context);
  await app.register(fastifyUnderPressure, {
    maxEventLoopDelay: settings.overloadSeconds * 1000,
    retryAfter: 10,
  });
  await app.register(fastifyFormbody, { bodyLimit: 16_384 });
  app.addHook('onRequest', (request, _reply, done) => {
    if (
      !settings.secure ||
      request.protocol === 'https' ||
      request.routeOptions.config.plain === true
    )
      return done();
    ports.log.warn(
      'request without https; fix: the proxy must send X-Forwarded-Proto and be listed in CREDMON_WEB_TRUSTED_PROXIES',
    );
    return done(pageError('not-https') as FastifyError);
  });
}

/** The interval of the log lines about rejected requests, in seconds. */
const LOG_SECONDS = 10;

/**
 * Limits the requests of each client. A rejected request gets a page that is rendered
 * once; of many, one line in ten seconds is logged.
 */
async function registerRateLimit(app: FastifyInstance, context: PortalContext): Promise<void> {
  const { settings, ports } = context;
  await app.register(fastifyRateLimit, {
    global: false,
    max: settings.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => rateKey(request.ip),
  });
  const limit = app.createRateLimit();
  const { name, page } = pageFor(pageError('too-many-requests'));
  const rejected = preparedError(name, false);
  const headers = pageHeaders(settings);
  const fixed = headerList(settings);
  let loggedAt = -Infinity;
  let unlogged = 0;
  const reject = (
    request: FastifyRequest,
    reply: FastifyReply,
    max: number,
    seconds: number,
  ): FastifyReply => {
    const now = ports.clock.steady();
    if (now - loggedAt >= LOG_SECONDS) {
      const more = unlogged === 0 ? '' : ` (and ${unlogged} more since the last line)`;
      ports.log.warn(
        `${request.method} ${request.routeOptions.url ?? 'an unknown page'}: ${page.status} ${name}, ` +
          `reference ${request.id}${more}: more than ${settings.requestsPerMinute} requests ` +
          'in a minute from one address',
      );
      [loggedAt, unlogged] = [now, 0];
    } else unlogged += 1;
    const limits = ['x-ratelimit-limit', String(max), 'x-ratelimit-remaining', '0'];
    const again = ['x-ratelimit-reset', String(seconds), 'retry-after', String(seconds)];
    return sendBare(context, reply, rejected, fixed.concat(limits, again), request.id);
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.rateLimit === false) {
      reply.headers(headers);
      return undefined;
    }
    const found = await limit(request);
    if (found.isAllowed) return undefined;
    if (found.isExceeded) return reject(request, reply, found.max, found.ttlInSeconds);
    reply.headers(headers);
    reply.header('x-ratelimit-limit', found.max);
    reply.header('x-ratelimit-remaining', found.remaining);
    reply.header('x-ratelimit-reset', found.ttlInSeconds);
    return undefined;
  });
}

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

// The security headers of every answer, made once: helmet builds the same texts for each
// request otherwise.

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** Returns helmet's headers for these settings. */
export function securityHeaders({ secure }: Pick<Settings, 'secure'>): Headers {
  const headers: Record<string, string> = {};
  const set = (name: string, value: string): void => {
    headers[name.toLowerCase()] = value;
  };
  const apply = helmet({
    contentSecurityPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
  const target = { setHeader: set, removeHeader: () => undefined };
  apply(...([{}, target, () => undefined] as unknown as Parameters<typeof apply>));
  headers['content-security-policy'] = contentPolicy([]);
  return headers;
}

/** Returns the headers of every page, names and values in turn. */
export function headerList(settings: Pick<Settings, 'secure'>): readonly string[] {
  return Object.entries(pageHeaders(settings)).flat();
}

/** Returns the headers of every page. */
export function pageHeaders(settings: Pick<Settings, 'secure'>): Headers {
  return { ...securityHeaders(settings), 'cache-control': 'no-store' };
}

/** Security headers for invalid URLs: Fastify answers them before any plugin runs. */
export const BARE_HEADERS: Headers = {
  'content-security-policy':
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Allows the forms of this page to redirect to these issuers: browsers apply form-action
 * also to the redirect after a form.
 * @param origins origins of URLs, without spaces and semicolons
 */
export function allowFormsTo(reply: FastifyReply, origins: readonly string[]): void {
  reply.header('content-security-policy', contentPolicy(origins));
}

function contentPolicy(origins: readonly string[]): string {
  return (
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';" +
    `frame-ancestors 'none';form-action ${["'self'", ...new Set(origins)].join(' ')}`
  );
}
