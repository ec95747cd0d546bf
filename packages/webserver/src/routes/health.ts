// /healthz and /readyz: for whatever watches the server or decides whether users are sent
// to it.
import type { FastifyInstance } from 'fastify';
import type { Desk } from '../flow/desk.ts';

/**
 * So long an answer of /readyz is repeated, in seconds: asking writes to the place of the
 * sessions, and anybody may ask.
 */
const REPEAT_SECONDS = 5;

/**
 * Adds both routes: 200 or 503 with a short JSON object that names no path and no secret.
 */
export function healthRoutes(app: FastifyInstance, { ports }: Desk): void {
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
