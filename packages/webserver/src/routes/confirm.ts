// /confirm/<answer>: GET shows the account that signed in and the local account; POST
// with a CSRF token stores or discards the tokens.
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';
import { decideAnswer, findQuestion } from '../flow/decide-answer.ts';
import { requireFlow, type PortalContext } from '../flow/context.ts';
import type { SettledAnswer } from '../flow/flow.ts';
import { answerCard } from '../flow/open-question.ts';
import { sendPage } from '../pages/send-page.ts';
import { labelOf } from '../pages/token-card.ts';
import { requireOwner } from '../plugins/remote-user.ts';
import { read } from './parameters.ts';
import { browserOf } from '../plugins/session.ts';
import { providerSettings } from '../settings/settings.ts';

const params = z.object({ answer: z.string().min(1).max(128) });
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
  const { answer } = read(params, request.params);
  const { localUser } = await requireFlow(context, request.session.flow);
  requireOwner(context, request, localUser);
  return answer;
}
