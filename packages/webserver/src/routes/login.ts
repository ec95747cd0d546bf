// /login/<token>: GET explains and asks, POST with a CSRF token begins the login.
import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';
import { beginLogin } from '../flow/begin-login.ts';
import { requireFlow, type Desk } from '../flow/desk.ts';
import type { Flow } from '../flow/flow.ts';
import { sendPage } from '../pages/send-page.ts';
import { findToken, tokenCard } from '../pages/token-card.ts';
import { admit } from '../plugins/admission.ts';
import { pageError } from '../plugins/page-error.ts';
import { allowFormsTo } from '../plugins/security.ts';
import { read } from './read.ts';

const params = z.object({ provider: z.string() });

/** Adds both routes. */
export function loginRoutes(app: FastifyInstance, desk: Desk): void {
  app.get('/login/:provider', (request, reply) => {
    const { flow, token } = wanted(desk, request);
    allowFormsTo(reply, [token.origin]);
    const data = { localUser: flow.localUser, token: tokenCard(token), csrf: reply.generateCsrf() };
    return sendPage(desk, reply, 'login', 200, data);
  });
  // The token is in the form's body, which is there only after onRequest.
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/login/:provider', { preHandler }, (request, reply) => {
    const { token } = wanted(desk, request);
    const { href } = beginLogin(desk, request.session.flow, token.stem);
    if (!isBrowser(request)) return reply.redirect(href, 303);
    return sendPage(desk, reply.header('refresh', `0; url=${href}`), 'leave', 200, {
      href,
      token: tokenCard(token),
    });
  });
}

function wanted(desk: Desk, request: FastifyRequest): { flow: Flow; token: Flow['tokens'][number] } {
  const { provider } = read(params, request.params);
  const flow = requireFlow(desk, request.session.flow);
  admit(desk, request, flow.localUser);
  const token = findToken(flow, provider);
  if (!token) throw pageError('no-such-provider');
  return { flow, token };
}

/**
 * True for a browser that opens a page. Chromium holds every redirect after a form against form-action, also those that a
 * federation's issuer makes to one of thousands of identity providers; a page that leads on by itself ends that chain.
 * @see Fetch Metadata Request Headers, section 2.1
 */
function isBrowser({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-dest'] === 'document';
}
