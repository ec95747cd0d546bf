// GET /return/...: where issuers send the browser back. The login is found by `state`;
// the path only has to be the one that was sent.
import type { FastifyInstance, FastifyRequest, FastifyReply } from 'fastify';
import { z } from 'zod';
import { completeLogin } from '../flow/complete-login.ts';
import { hasLiveLogins, requireFlow, type PortalContext } from '../flow/context.ts';
import { admit, read } from './request.ts';
import { browserOf, renewSession } from '../plugins/session.ts';

/**
 * Each at most once: a repeated parameter comes as a list and is refused. Others are none
 * of our business.
 */
const callback = z.object({
  state: z.string().min(1).max(256),
  code: z.string().min(1).max(8192).optional(),
  iss: z.string().max(2048).optional(),
  error: z.string().max(256).optional(),
});

/** Adds the routes `/return` and `/return/*`. */
export function returnRoutes(app: FastifyInstance, context: PortalContext): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { state } = read(callback, request.query);
    const { localUser } = await requireFlow(context, request.session.flow);
    admit(context, request, localUser);
    const [path = '', query = ''] = splitOnce(request.url, '?');
    const { flow, answer } = await completeLogin(context, browserOf(request), {
      state,
      query,
      path,
    });
    // Another tab's return may be on its way with the old id: it must still find its
    // session.
    if (!hasLiveLogins(context, flow)) await renewSession(context, request);
    return reply.redirect(
      `${context.settings.mount}/${answer === undefined ? '' : `confirm/${answer}`}`,
      303,
    );
  };
  for (const path of ['/return', '/return/*']) app.get(path, { exposeHeadRoute: false }, handler);
}

function splitOnce(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
