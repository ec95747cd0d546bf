// An answer that waits for a decision, the data of its confirmation page, and the decision
// of the user: store or decline, exactly once for each answer.
import { checkAnswer, missingScopes, checkName } from './check-answer.ts';
import { type PortalContext, newSecret, recordEvent, requireFlow } from './context.ts';
import { accountName, failLogin, finishLogin } from './finish-login.ts';
import type { Flow, PendingAnswer, SettledAnswer } from './flow-value.ts';
import { foldFlow, openAnswers } from './flow.ts';
import { type BrowserSession, type HeldAnswer, dropAnswers, readAnswer } from './held-answer.ts';
import { type TokenRequest, readTokenRequest } from './read-request.ts';
import { signInHost } from './resolve-provider.ts';
import { REVOCATION_TEXTS, recordRevoked, revokeAnswer } from './revoke-answer.ts';
import { settleSuperseded } from './store-token.ts';
import { CodedError, isCoded } from '@credmon/core/base';
import { splitScopes } from '@credmon/core/credential';

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
  recordRevoked(context, flow, request.stem, result, 'declined by the user');
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

/** An answer that waits for a decision, with its tokens and its request. */
interface OpenQuestion {
  readonly pending: PendingAnswer;
  readonly held: HeldAnswer;
  readonly request: TokenRequest;
}

/**
 * Returns the open question about an answer.
 * @throws CodedError `LOGIN_EXPIRED`, and the errors of reading the key file
 */
async function openQuestion(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  answer: string,
): Promise<OpenQuestion> {
  const pending = findPending(context, flow, answer);
  const held = await readAnswer(context, session, answer);
  if (!held) throw new CodedError('LOGIN_EXPIRED', 'the response of the provider has expired');
  return { pending, held, request: readTokenRequest(context, flow, pending.stem, held.keyDigest) };
}

/**
 * Returns the waiting answer with this id.
 * @throws CodedError `LOGIN_EXPIRED`
 */
function findPending(
  { settings, ports }: PortalContext,
  flow: Flow,
  answer: string,
): PendingAnswer {
  const pending = openAnswers(flow, ports.clock.now(), settings.loginSeconds).find(
    (one) => one.answer === answer,
  );
  if (pending) return pending;
  throw new CodedError(
    'LOGIN_EXPIRED',
    `no answer with this id is waiting, or it is older than ${settings.loginSeconds} s`,
  );
}

/** The data of the confirmation page. */
interface AnswerCard {
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  /** The account that signed in; missing if the provider does not name it. */
  readonly account?: string | undefined;
  /** The host of the issuer. */
  readonly issuer: string;
  /** The granted scopes; empty if neither the request nor the response names any. */
  readonly scopes: readonly string[];
  readonly missing: readonly string[];
  readonly audience: string;
  /** How many minutes the answer is still kept; at least 1. */
  readonly minutes: number;
}

/** Returns the data of the confirmation page for an open question. */
export function answerCard(
  { settings, ports }: PortalContext,
  { pending, held, request }: OpenQuestion,
): AnswerCard {
  const { provider, handle, scopes, audience } = request;
  const left = pending.heldAt + settings.loginSeconds - ports.clock.now();
  return {
    label: handle === '' ? provider : `${provider} ${handle}`,
    provider,
    issuer: signInHost(settings, request),
    // A response without scopes grants the requested scopes.
    scopes: splitScopes(held.answer.scope ?? scopes),
    missing: missingScopes(settings, request, held.answer),
    audience,
    minutes: Math.max(1, Math.floor(left / 60)),
    account: accountName(held.answer),
  };
}
