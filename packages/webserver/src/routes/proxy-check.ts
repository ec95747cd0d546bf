// /proxy-check/...: tells `--check` whether a forged REMOTE_USER header came through the
// proxy, and tells nobody else anything.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { makeAnswer, PROOF_PATH, readQuestion } from '../check/proxy-proof.ts';
import type { Desk } from '../flow/desk.ts';
import { pageError } from '../pages/page-error.ts';
import { read } from './read.ts';

const Params = z.object({ token: z.string() });

/**
 * Adds the route. A question that was not made with the cookie key, is too old, or was
 * answered before is an unknown page.
 */
export function proxyCheckRoute(app: FastifyInstance, { settings, ports }: Desk): void {
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
