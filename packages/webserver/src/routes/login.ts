// /login/<token>: GET shows what will happen, POST with a CSRF token starts the sign-in.
import type { FastifyInstance, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';
import { signInOrigins } from '../flow/resolve-provider.ts';
import { beginLogin } from '../flow/begin-login.ts';
import { requireFlow, type PortalContext } from '../flow/context.ts';
import type { Flow, FlowToken } from '../flow/flow.ts';
import { readTokenRequest } from '../flow/read-request.ts';
import { sendPage } from '../pages/send-page.ts';
import { findToken, labelOf, tokenCard } from '../pages/token-card.ts';
import { requireOwner } from '../plugins/remote-user.ts';
import { read } from './parameters.ts';
import { pageError } from '../pages/page-error.ts';
import { allowFormsTo } from '../plugins/security.ts';

const params = z.object({ provider: z.string() });

/** Adds both routes. */
export function loginRoutes(app: FastifyInstance, context: PortalContext): void {
  app.get('/login/:provider', async (request, reply) => {
    const { flow, token } = await requestedToken(context, request);
    const asked = readTokenRequest(context, flow, token.stem);
    allowFormsTo(reply, signInOrigins(context.settings, asked));
    const data = {
      localUser: flow.localUser,
      token: tokenCard(context.settings, token, asked),
      csrf: reply.generateCsrf(),
    };
    return sendPage(context, reply, 'login', 200, data);
  });
  // The CSRF token is in the form body, which is not parsed before preHandler.
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/login/:provider', { preHandler }, async (request, reply) => {
    const { token } = await requestedToken(context, request);
    const { href, host } = await beginLogin(context, request.session.flow, token.stem);
    if (!isBrowser(request)) return reply.redirect(href, 303);
    const page = { href, issuer: host, label: labelOf(token) };
    return sendPage(context, reply.header('refresh', `0; url=${href}`), 'redirect', 200, page);
  });
}

async function requestedToken(
  context: PortalContext,
  request: FastifyRequest,
): Promise<{ flow: Flow; token: FlowToken }> {
  const { provider } = read(params, request.params);
  const flow = await requireFlow(context, request.session.flow);
  requireOwner(context, request, flow.localUser);
  const token = findToken(flow, provider);
  if (!token) throw pageError('no-such-provider');
  return { flow, token };
}

/**
 * True if a browser opens a page. Chromium applies form-action to every redirect after a
 * form, also to the redirects of a federation's issuer to one of thousands of identity
 * providers. A page with a refresh header ends this chain of redirects.
 * @see Fetch Metadata Request Headers, section 2.1
 */
function isBrowser({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-dest'] === 'document';
}
