// The decision of the user about an answer: store or decline, exactly once for each
// answer.
import { isCoded } from '@credmon/core/base';
import { newSecret, requireFlow, recordEvent, type PortalContext } from './context.ts';
import { failLogin, finishLogin } from './finish-login.ts';
import { foldFlow, type Flow, type PendingAnswer, type SettledAnswer } from './flow.ts';
import { dropAnswers, type BrowserSession } from './held-answer.ts';
import { checkAnswer } from './check-answer.ts';
import { checkName } from './name-refusal.ts';
import { findPending, openQuestion, type OpenQuestion } from './open-question.ts';
import { REVOCATION_TEXTS, revokeAnswer } from './revoke-answer.ts';
import { settleSuperseded } from './settle-superseded.ts';

/** The question whether to store an answer: still open, or its result. */
export type Question = { readonly flow: Flow } & (
  | { readonly open: OpenQuestion; readonly settled?: undefined }
  | { readonly settled: SettledAnswer; readonly open?: undefined }
);

/**
 * Returns the question about an answer of this browser.
 * @throws CodedError `LOGIN_EXPIRED`, and the errors of reading the key file
 */
export async function findQuestion(
  context: PortalContext,
  session: BrowserSession,
  answer: string,
): Promise<Question> {
  const flow = await requireFlow(context, session.flow);
  const settled = flow.settled.find((one) => one.answer === answer);
  if (settled) return { flow, settled };
  return { flow, open: await openQuestion(context, session, flow, answer) };
}

/**
 * Carries out a decision. If several tabs or replicas decide, only the first decision is
 * carried out; the others change nothing.
 * @throws CodedError `LOGIN_EXPIRED`, `LOGIN_WRONG_USER`, `REFRESH_TOKEN_MISSING`,
 * `CRED_DIR_INVALID` and `CRED_FILE_IO` (the question is then still open), and the errors
 * of reading the key file
 */
export async function decideAnswer(
  context: PortalContext,
  session: BrowserSession,
  answer: string,
  decision: 'store' | 'decline',
): Promise<Flow> {
  const { ports } = context;
  const id = session.flow ?? '';
  const flow = await requireFlow(context, session.flow);
  if (flow.settled.some((one) => one.answer === answer)) return flow;
  findPending(context, flow, answer);
  const attempt = newSecret(context);
  const claimed = foldFlow(
    await ports.flows.append(id, { type: 'decided', at: ports.clock.now(), answer, attempt }),
  );
  const pending = claimed?.pending.find((one) => one.answer === answer);
  if (!claimed || pending?.claim?.attempt !== attempt) return claimed ?? flow;
  try {
    const question = await openQuestion(context, session, claimed, answer);
    const after = await (decision === 'store' ? store : decline)(
      context,
      session,
      claimed,
      question,
    );
    await dropAnswers(context, [pending]);
    return after;
  } catch (error) {
    await afterFailure(context, id, claimed, { pending, attempt, error });
    throw error;
  }
}

async function store(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  { pending, held, request }: OpenQuestion,
): Promise<Flow> {
  // The configuration may have changed since the issuer answered.
  checkName(context.settings, request);
  checkAnswer(context.settings, flow.localUser, request, held.answer);
  try {
    return await finishLogin(context, session, flow, {
      state: pending.state,
      request,
      issued: held,
    });
  } catch (error) {
    if (!isCoded(error, 'LOGIN_SUPERSEDED')) throw error;
    context.ports.counters.login(request.provider, error.code);
    const { answer, stem, claim } = pending;
    const superseded = { answer, stem, unused: { answer, held, request } };
    return settleSuperseded(context, session, flow, [superseded], claim?.attempt);
  }
}

async function decline(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  question: OpenQuestion,
): Promise<Flow> {
  const { ports } = context;
  const { pending, request } = question;
  await dropAnswers(context, [pending]);
  const result = await revokeAnswer(context, session, flow, {
    ...question,
    answer: pending.answer,
  });
  ports.counters.login(request.provider, 'declined');
  ports.log.info(
    `login of ${flow.localUser} for ${request.stem} declined by the user; ${REVOCATION_TEXTS[result]}`,
  );
  const { state } = pending;
  return recordEvent(context, session.flow ?? '', flow, {
    type: 'declined',
    at: ports.clock.now(),
    state,
    revoked: result === 'revoked',
    shared: result === 'shared' ? true : undefined,
  });
}

/** Temporary errors: a full or broken disk, a session store that does not answer. */
const TEMPORARY: readonly string[] = [
  'CRED_FILE_IO',
  'CRED_DIR_INVALID',
  'SESSION_STORE_FULL',
  'SESSION_STORE_DOWN',
];

/**
 * After a temporary error, the question is open again. Any other error ends it and
 * discards the tokens.
 */
async function afterFailure(
  context: PortalContext,
  id: string,
  flow: Flow,
  {
    pending,
    attempt,
    error,
  }: { readonly pending: PendingAnswer; readonly attempt: string; readonly error: unknown },
): Promise<void> {
  const { answer, state, stem } = pending;
  if (!isCoded(error) || TEMPORARY.includes(error.code)) {
    await recordEvent(context, id, flow, {
      type: 'reopened',
      at: context.ports.clock.now(),
      answer,
      attempt,
    });
    return;
  }
  await dropAnswers(context, [pending]);
  await failLogin(context, id, flow, { state, stem, error });
}
