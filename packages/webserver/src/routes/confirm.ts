// /confirm/<answer>: GET shows which account signed in and for whom, POST with a CSRF
// token stores the tokens or discards them.
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify';
import { z } from 'zod';
import { decideAnswer, findQuestion } from '../flow/decide-answer.ts';
import { requireFlow, type PortalContext } from '../flow/context.ts';
import type { SettledAnswer } from '../flow/flow.ts';
import { answerCard } from '../flow/open-question.ts';
import { sendPage } from '../pages/send-page.ts';
import { labelOf } from '../pages/token-card.ts';
import { admit, read } from './request.ts';
import { browserOf } from '../plugins/session.ts';

const params = z.object({ answer: z.string().min(1).max(128) });
const body = z.object({ decision: z.enum(['store', 'decline']) });

/** Outcomes that have a page; after the others the list says how it is. */
const HAS_PAGE: readonly SettledAnswer['outcome'][] = ['declined', 'superseded'];

/** Adds both routes. */
export function confirmRoutes(app: FastifyInstance, context: PortalContext): void {
  const { mount } = context.settings;
  app.get('/confirm/:answer', { exposeHeadRoute: false }, async (request, reply) => {
    const answer = await admitted(context, request);
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
    });
  });
  // The token is in the form's body, which is there only after onRequest.
  const preHandler: preHandlerHookHandler = (request, reply, done) =>
    app.csrfProtection(request, reply, done);
  app.post('/confirm/:answer', { preHandler }, async (request, reply) => {
    const answer = await admitted(context, request);
    const { decision } = read(body, request.body);
    // The session keeps its id: a second click on the button comes with the same one.
    const flow = await decideAnswer(context, browserOf(request), answer, decision);
    const outcome = flow.settled.find((one) => one.answer === answer)?.outcome ?? 'stored';
    // The browser must not send the form again when its page is reloaded.
    return decision === 'decline' || HAS_PAGE.includes(outcome)
      ? reply.redirect(`${mount}/confirm/${answer}`, 303)
      : toList(reply);
  });
  const toList = (reply: FastifyReply): FastifyReply => reply.redirect(`${mount}/`, 303);
}

async function admitted(context: PortalContext, request: FastifyRequest): Promise<string> {
  const { answer } = read(params, request.params);
  const { localUser } = await requireFlow(context, request.session.flow);
  admit(context, request, localUser);
  return answer;
}
