// /proxy-check/...: reports to `--check` whether a forged REMOTE_USER header passed the
// proxy.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { makeAnswer, PROOF_PATH, readQuestion } from '../check/proxy-proof.ts';
import type { PortalContext } from '../flow/context.ts';
import { pageError } from '../pages/page-error.ts';
import { read } from './parameters.ts';

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
