// /healthz and /readyz: for whatever watches the server or decides whether users are sent
// to it.
import type { FastifyInstance } from 'fastify';
import type { PortalContext } from '../flow/context.ts';
import { z } from 'zod';
import { makeAnswer, PROOF_PATH, readQuestion } from '../check/proxy-proof.ts';
import { pageError } from '../pages/page-error.ts';
import { read } from './request.ts';

/**
 * So long an answer of /readyz is repeated, in seconds: asking writes to the place of the
 * sessions, and anybody may ask.
 */
const REPEAT_SECONDS = 5;

/**
 * Adds both routes: 200 or 503 with a short JSON object that names no path and no secret.
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

// /proxy-check/...: tells `--check` whether a forged REMOTE_USER header came through the
// proxy, and tells nobody else anything.

const Params = z.object({ token: z.string() });

/**
 * Adds the route. A question that was not made with the cookie key, is too old, or was
 * answered before is an unknown page.
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
    const said = [request.headers[remoteUser.header] ?? ''].flat().join(',');
    return reply.send(makeAnswer(ports.cookieSecret, token, said.includes(question.forged)));
  });
}
