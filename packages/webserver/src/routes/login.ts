// A sign-in. /login/<token>: GET shows what will happen, POST with a CSRF token starts it.
// GET /return/...: the redirect URI; the login is found by `state`, and the path must match
// the redirect URI of the login. /confirm/<answer>: GET shows the account that signed in and
// the local account, POST with a CSRF token stores or discards the tokens.
import { beginLogin, completeLogin } from '../flow/login.ts';
import { type PortalContext, hasLiveLogins, requireFlow } from '../flow/context.ts';
import { decideAnswer, findQuestion } from '../flow/finish-login.ts';
import type { Flow, FlowToken, SettledAnswer } from '../flow/flow-value.ts';
import { readTokenRequest } from '../flow/read-request.ts';
import { signInOrigins } from '../flow/resolve-provider.ts';
import { pageError, sendPage } from '../pages/send-page.ts';
import { answerCard, findToken, labelOf, tokenCard } from '../pages/token-card.ts';
import { requireOwner } from '../plugins/host.ts';
import { allowFormsTo } from '../plugins/security.ts';
import { browserOf, renewSession } from '../plugins/session.ts';
import { providerSettings } from '../settings/settings.ts';
import { read } from './key.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';

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

const answerParams = z.object({ answer: z.string().min(1).max(128) });
const body = z.object({ decision: z.enum(['store', 'decline']) });

/** Outcomes with a page of their own; for the others, the list shows the result. */
const HAS_PAGE: readonly SettledAnswer['outcome'][] = ['declined', 'superseded'];

/** Adds `GET` and `POST /confirm/:answer`. */
export function confirmRoutes(app: FastifyInstance, context: PortalContext): void {
  const { mount } = context.settings;
  app.get('/confirm/:answer', { exposeHeadRoute: false }, async (request, reply) => {
    const answer = await requireAnswerOwner(context, request);
    const { flow, open, settled } = await findQuestion(context, browserOf(request), answer);
    if (open) {
      const data = { answer, card: answerCard(context, open), localUser: flow.localUser };
      return sendPage(context, reply, 'confirm', 200, { ...data, csrf: reply.generateCsrf() });
    }
    if (!HAS_PAGE.includes(settled.outcome)) return toList(reply);
    const token = flow.tokens.find(({ stem }) => stem === settled.stem);
    const label = token ? labelOf(token) : settled.stem;
    return sendPage(context, reply, 'declined', 200, {
      label,
      superseded: settled.outcome === 'superseded',
      localUser: flow.localUser,
      revoked: settled.revoked,
      shared: settled.shared === true,
      endless: token !== undefined && mayBeEndless(context, token.provider),
    });
  });
  // The CSRF token is in the form body, which is not parsed before preHandler.
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/confirm/:answer', { preHandler }, async (request, reply) => {
    const answer = await requireAnswerOwner(context, request);
    const { decision } = read(body, request.body);
    // The session id must not change: a second click on the button sends the same id.
    const flow = await decideAnswer(context, browserOf(request), answer, decision);
    const outcome = flow.settled.find((one) => one.answer === answer)?.outcome ?? 'stored';
    // A redirect, so that reloading the page does not send the form again.
    return decision === 'decline' || HAS_PAGE.includes(outcome)
      ? reply.redirect(`${mount}/confirm/${answer}`, 303)
      : toList(reply);
  });
  const toList = (reply: FastifyReply): FastifyReply => reply.redirect(`${mount}/`, 303);
}

/** True if tokens of the provider may be valid without end. */
function mayBeEndless({ settings }: PortalContext, provider: string): boolean {
  return providerSettings(settings, provider).policy.tokenLifetime === 'unlimited';
}

async function requireAnswerOwner(
  context: PortalContext,
  request: FastifyRequest,
): Promise<string> {
  const { answer } = read(answerParams, request.params);
  const { localUser } = await requireFlow(context, request.session.flow);
  requireOwner(context, request, localUser);
  return answer;
}
