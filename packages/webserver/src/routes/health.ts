// /healthz and /readyz, for monitoring and load balancers; /proxy-check for `--check`.
import type { FastifyInstance } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { z } from 'zod';
import { makeAnswer, PROOF_PATH, readQuestion } from '../check/proxy-proof.ts';
import { pageError } from '../pages/page-error.ts';
import { read } from './request.ts';

/**
 * How long an answer of /readyz is reused, in seconds: each check writes to the session
 * store, and /readyz is public.
 */
const REPEAT_SECONDS = 5;

/**
 * Adds both routes. They return 200 or 503 and a short JSON object without paths and
 * secrets.
 */
export function healthRoutes(app: FastifyInstance, { ports }: PortalContext): void {
  const options = { config: { plain: true, rateLimit: false as const } };
  app.get('/healthz', options, (_request, reply) => {
    const busy = app.isUnderPressure();
    return reply.code(busy ? 503 : 200).send({ status: busy ? 'busy' : 'ok' });
  });
  let known: { readonly at: number; readonly reasons: Promise<readonly string[]> } | undefined;
  app.get('/readyz', options, async (_request, reply) => {
    const now = ports.clock.now();
    if (!known || Math.abs(now - known.at) >= REPEAT_SECONDS)
      known = { at: now, reasons: ports.whyNotReady() };
    const reasons = await known.reasons;
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send(reasons.length === 0 ? { ready: true } : { ready: false, reasons });
  });
}

// /proxy-check/...: reports to `--check` whether a forged REMOTE_USER header passed the
// proxy.

const Params = z.object({ token: z.string() });

/**
 * Adds the route. It returns 404 if the question was not made with the cookie key, has
 * expired, or was answered before.
 */
export function proxyCheckRoute(app: FastifyInstance, { settings, ports }: PortalContext): void {
  const { remoteUser } = settings;
  const answered = new Map<string, number>();
  const options = { config: { plain: true, anyHost: true }, exposeHeadRoute: false };
  app.get(`${PROOF_PATH}/:token`, options, (request, reply) => {
    const { token } = read(Params, request.params);
    const now = ports.clock.now();
    const question = readQuestion(ports.cookieSecret, token, now);
    if (!remoteUser || !question || answered.has(token)) throw pageError('no-such-page');
    for (const [old, expiresAt] of answered) if (expiresAt <= now) answered.delete(old);
    answered.set(token, question.expiresAt);
    const values = [request.headers[remoteUser.header] ?? ''].flat().join(',');
    return reply.send(makeAnswer(ports.cookieSecret, token, values.includes(question.forged)));
  });
}
