// GET /key/<64 hex>: the link that condor_submit prints. It opens a session and
// redirects, so that the key does not stay in the address bar.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { currentFlow, hasLiveLogins, type PortalContext } from '../flow/context.ts';
import { openKey } from '../flow/open-key.ts';
import { requireOwner } from '../plugins/remote-user.ts';
import { read } from './parameters.ts';
import { renewSession, startSession } from '../plugins/session.ts';
import { isAnotherAccount } from './switch.ts';

const params = z.object({ key: z.string() });

/** Adds `GET /key/:key`. */
export function keyRoute(app: FastifyInstance, context: PortalContext): void {
  app.get('/key/:key', { exposeHeadRoute: false }, async (request, reply) => {
    const { key } = read(params, request.params);
    const current = await currentFlow(context, request.session.flow);
    if (isAnotherAccount(context, key, current)) {
      request.session.offer = key;
      return reply.redirect(`${context.settings.mount}/switch`, 303);
    }
    const flow = await openKey(context, key, current, (localUser) =>
      requireOwner(context, request, localUser),
    );
    if (flow !== undefined) await startSession(context, request, flow);
    // A login that is still in progress needs the old session id: its answer will be
    // sealed with that id.
    else if (!hasLiveLogins(context, current)) await renewSession(context, request);
    return reply.redirect(`${context.settings.mount}/`, 303);
  });
}
