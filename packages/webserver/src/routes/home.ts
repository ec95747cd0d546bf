// GET /: the list of requested tokens, for whom they are, and a button for each.
import type { FastifyInstance } from 'fastify';
import { currentFlow, type Desk } from '../flow/desk.ts';
import { isComplete } from '../flow/flow.ts';
import { sendPage } from '../pages/send-page.ts';
import { tokenCard } from '../pages/token-card.ts';
import { admit } from '../plugins/admission.ts';
import { allowFormsTo } from '../plugins/security.ts';

/** Adds the route. */
export function homeRoute(app: FastifyInstance, desk: Desk): void {
  app.get('/', (request, reply) => {
    const flow = currentFlow(desk, request.session.flow);
    if (!flow) return sendPage(desk, reply, 'home', 200, { tokens: [] });
    admit(desk, request, flow.localUser);
    allowFormsTo(
      reply,
      flow.tokens.map(({ origin }) => origin),
    );
    return sendPage(desk, reply, 'home', 200, {
      localUser: flow.localUser,
      tokens: flow.tokens.map(tokenCard),
      complete: isComplete(flow),
      csrf: reply.generateCsrf(),
    });
  });
}
