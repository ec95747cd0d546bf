// An answer that waits for a decision, and the data of its confirmation page.
import { CodedError } from '@credmon/core/base';
import type { PortalContext } from './context.ts';
import { openAnswers, type Flow, type PendingAnswer } from './flow.ts';
import { readAnswer, type BrowserSession, type HeldAnswer } from './held-answer.ts';
import { readTokenRequest, type TokenRequest } from './read-request.ts';
import { splitScopes } from '@credmon/core/credential';
import { accountName } from './finish-login.ts';
import { signInHost } from './resolve-provider.ts';
import { missingScopes } from './check-answer.ts';

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
export async function openQuestion(
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
export function findPending(
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
