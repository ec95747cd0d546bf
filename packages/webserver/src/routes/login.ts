// /login/<token>: GET explains and asks, POST with a CSRF token begins the login.
import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';
import { originOf } from '@credmon/core/base';
import { beginLogin } from '../flow/begin-login.ts';
import { requireFlow, type PortalContext } from '../flow/context.ts';
import type { Flow, FlowToken } from '../flow/flow.ts';
import { readTokenRequest } from '../flow/read-request.ts';
import { sendPage } from '../pages/send-page.ts';
import { findToken, labelOf, tokenCard } from '../pages/token-card.ts';
import { admit, read } from './request.ts';
import { pageError } from '../pages/page-error.ts';
import { allowFormsTo } from '../plugins/security.ts';

const params = z.object({ provider: z.string() });

/** Adds both routes. */
export function loginRoutes(app: FastifyInstance, context: PortalContext): void {
  app.get('/login/:provider', async (request, reply) => {
    const { flow, token } = await wanted(context, request);
    const asked = readTokenRequest(context, flow, token.stem);
    allowFormsTo(reply, [originOf(asked.authorizationUrl)]);
    const data = {
      localUser: flow.localUser,
      token: tokenCard(token, asked),
      csrf: reply.generateCsrf(),
    };
    return sendPage(context, reply, 'login', 200, data);
  });
  // The token is in the form's body, which is there only after onRequest.
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/login/:provider', { preHandler }, async (request, reply) => {
    const { token } = await wanted(context, request);
    const { href, host } = await beginLogin(context, request.session.flow, token.stem);
    if (!isBrowser(request)) return reply.redirect(href, 303);
    const page = { href, issuer: host, label: labelOf(token) };
    return sendPage(context, reply.header('refresh', `0; url=${href}`), 'leave', 200, page);
  });
}

async function wanted(
  context: PortalContext,
  request: FastifyRequest,
): Promise<{ flow: Flow; token: FlowToken }> {
  const { provider } = read(params, request.params);
  const flow = await requireFlow(context, request.session.flow);
  admit(context, request, flow.localUser);
  const token = findToken(flow, provider);
  if (!token) throw pageError('no-such-provider');
  return { flow, token };
}

/**
 * True for a browser that opens a page. Chromium holds every redirect after a form
 * against form-action, also those that a federation's issuer makes to one of thousands of
 * identity providers; a page that leads on by itself ends that chain.
 * @see Fetch Metadata Request Headers, section 2.1
 */
function isBrowser({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-dest'] === 'document';
}
