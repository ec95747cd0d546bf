// /healthz and /readyz, for monitoring and load balancers.
import type { FastifyInstance } from 'fastify';
import type { PortalContext } from '../flow/context.ts';

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
