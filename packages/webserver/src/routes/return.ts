// GET /return/...: the redirect URI. The login is found by `state`; the path must match
// the redirect URI of the login.
import type { FastifyInstance, FastifyRequest, FastifyReply } from 'fastify';
import { z } from 'zod';
import { completeLogin } from '../flow/complete-login.ts';
import { hasLiveLogins, requireFlow, type PortalContext } from '../flow/context.ts';
import { requireOwner } from '../plugins/remote-user.ts';
import { read } from './parameters.ts';
import { browserOf, renewSession } from '../plugins/session.ts';

/**
 * A repeated parameter is parsed as a list and rejected. Other parameters are ignored.
 */
const callbackQuery = z.object({
  state: z.string().min(1).max(256),
  code: z.string().min(1).max(8192).optional(),
  iss: z.string().max(2048).optional(),
  error: z.string().max(256).optional(),
});

/** Adds the routes `/return` and `/return/*`. */
export function returnRoutes(app: FastifyInstance, context: PortalContext): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { state } = read(callbackQuery, request.query);
    const before = await requireFlow(context, request.session.flow);
    requireOwner(context, request, before.localUser);
    const [path = '', query = ''] = splitOnce(request.url, '?');
    const callback = { state, query, path };
    const { flow, answer } = await completeLogin(context, browserOf(request), before, callback);
    // A login in another tab may still return with the old session id and must find its
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
