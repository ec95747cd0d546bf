// The end of a login: its tokens are stored, or the failure is recorded. Before that an
// answer may wait for the decision of the user: store or decline, exactly once for each
// answer.
import { checkAnswer, missingScopes, checkName } from './check-answer.ts';
import { type PortalContext, newSecret, recordEvent, requireFlow } from './context.ts';
import type { Flow, PendingAnswer, SettledAnswer } from './flow-value.ts';
import { foldFlow, isComplete, openAnswers, withStored } from './flow.ts';
import { type BrowserSession, type HeldAnswer, dropAnswers, readAnswer } from './held-answer.ts';
import { type TokenRequest, readTokenRequest } from './read-request.ts';
import { REVOCATION_TEXTS, recordRevoked, revokeAnswer } from './revoke-answer.ts';
import {
  findSuperseded,
  settleSuperseded,
  storeToken,
  type Issued,
  type Stored,
} from './store-token.ts';
import { CodedError, isCoded } from '@credmon/core/base';
import type { ProviderRequest, TokenAnswer } from '@credmon/core/credential';
import { shownScopes } from '@credmon/core/profiles';

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
export interface OpenQuestion {
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

/**
 * Stores a token response for the user of the flow, records it, and discards the answers
 * that it supersedes.
 * @returns the new flow
 * @throws CodedError as {@link storeToken}
 */
export async function finishLogin(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  {
    state,
    request,
    issued,
  }: { readonly state: string; readonly request: ProviderRequest; readonly issued: Issued },
): Promise<Flow> {
  const { ports } = context;
  const stored = storeToken(context, flow.localUser, request, issued);
  const missing = missingScopes(context.settings, request, issued.answer);
  const after = await recordEvent(context, session.flow ?? '', flow, {
    type: 'completed',
    at: ports.clock.now(),
    state,
    missing,
    ...stored,
    name: accountName(issued.answer),
  });
  ports.counters.login(request.provider, 'done');
  ports.log.info(
    `login of ${flow.localUser} for ${request.stem} done; ${describe(stored)}${notGranted(missing)}`,
  );
  ports.log.record?.({
    event: 'signed-in',
    user: flow.localUser,
    service: request.provider,
    handle: request.handle,
    provider: 'oauth',
    details: {
      account: accountName(issued.answer) ?? null,
      scopes: request.scopes,
      audience: request.audience,
      renewable: stored.renewable,
    },
  });
  // Before finishFlow removes the key file, because their requests are in it.
  const superseded = await findSuperseded(context, session, flow, after);
  return settleSuperseded(context, session, finishFlow(context, after), superseded);
}

/** Records that a login for `stem` failed. */
export async function failLogin(
  context: PortalContext,
  id: string,
  flow: Flow,
  {
    state,
    stem,
    error,
  }: { readonly state: string; readonly stem: string; readonly error: unknown },
): Promise<void> {
  const { ports } = context;
  const code = isCoded(error) ? error.code : 'CRED_FILE_IO';
  ports.counters.login(flow.tokens.find((token) => token.stem === stem)?.provider ?? stem, code);
  await recordEvent(context, id, flow, { type: 'failed', at: ports.clock.now(), state, code });
}

/**
 * Removes the key file if all tokens are stored. If this fails, the cleanup of
 * condor_credmon removes it later.
 */
function finishFlow({ ports }: PortalContext, noted: Flow): Flow {
  const flow = withStored(noted, ports.files.tokensOf(noted.localUser));
  if (!isComplete(flow)) return flow;
  try {
    ports.files.removeKey(flow.key);
  } catch (error) {
    if (!isCoded(error)) throw error;
    ports.log.warn(`failed to remove the key file of ${flow.localUser}: ${error.message}`);
  }
  return flow;
}

function notGranted(missing: readonly string[]): string {
  return missing.length === 0 ? '' : `; the issuer did not grant ${shownScopes(missing)}`;
}

function describe({ renewable, doesNotExpire, refresh }: Stored): string {
  const old = {
    kept: 'no new refresh token, the stored one was kept; ',
    replaced: 'no new refresh token, and the stored one cannot be used; ',
  };
  const renewal = renewable
    ? 'it will be renewed'
    : 'the issuer gave no refresh token, so it cannot be renewed';
  const next = doesNotExpire ? 'it does not expire' : renewal;
  return `${refresh === undefined ? '' : old[refresh]}${next}`;
}

/**
 * Claims that name a person, the most useful first. `name` comes after the unique ones,
 * because a person can choose it freely.
 */
const NAMES = ['preferred_username', 'email', 'name', 'sub'] as const;

/** The longest text shown of one claim, in characters. */
const LONGEST = 80;

/**
 * Returns the account in a verified ID token: its identifier, and the name of the person
 * in parentheses if the token has both. `undefined` if there is no verified ID token, or
 * it contains neither.
 * @see OpenID Connect Core 1.0, section 5.1
 */
export function accountName({ claims }: TokenAnswer): string | undefined {
  const texts = NAMES.map((claim) => readable(claims?.[claim]));
  const first = texts.find((text) => text !== '');
  const name = readable(claims?.['name']);
  return first === undefined || name === '' || name === first ? first : `${first} (${name})`;
}

/**
 * Removes control and direction characters, which can make one name look like another.
 */
function readable(value: unknown): string {
  if (typeof value !== 'string') return '';
  const text = value.replaceAll(/\p{C}/gu, ' ').replaceAll(/\s+/g, ' ').trim();
  // By code points, so that no character is cut.
  return Array.from(text).slice(0, LONGEST).join('');
}
