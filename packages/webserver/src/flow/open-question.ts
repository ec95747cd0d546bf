// An answer that waits for a decision, with everything that the question needs.
import { CodedError } from '@credmon/core/base';
import type { PortalContext } from './context.ts';
import { openAnswers, type Flow, type PendingAnswer } from './flow.ts';
import { readAnswer, type BrowserSession, type HeldAnswer } from './held-answer.ts';
import { readTokenRequest, type TokenRequest } from './read-request.ts';
import { splitScopes } from '@credmon/core/credential';
import { accountName } from './finish-login.ts';
import { missingScopes } from './judge-answer.ts';

/** An answer that waits for a decision, its tokens, and the request that it answers. */
export interface OpenQuestion {
  readonly pending: PendingAnswer;
  readonly held: HeldAnswer;
  readonly request: TokenRequest;
}

/**
 * Returns the open question about an answer.
 * @throws CodedError `LOGIN_EXPIRED`, and as the key file's reader
 */
export async function openQuestion(
  context: PortalContext,
  session: BrowserSession,
  flow: Flow,
  answer: string,
): Promise<OpenQuestion> {
  const pending = findPending(context, flow, answer);
  const held = await readAnswer(context, session, answer);
  if (!held)
    throw new CodedError('LOGIN_EXPIRED', 'the answer of the provider is not kept any more');
  return { pending, held, request: readTokenRequest(context, flow, pending.stem, held.keyDigest) };
}

/** The waiting answer of this id. @throws CodedError `LOGIN_EXPIRED` */
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
    `no answer waits under that name, or it waited longer than ${settings.loginSeconds} s`,
  );
}

// The question before tokens are stored: who signed in where, for which local account,
// and with which scopes.

/** What the template shows. */
interface AnswerCard {
  /** `provider`, or `provider` and handle. */
  readonly label: string;
  readonly provider: string;
  /** The account that signed in; missing when the provider does not name it. */
  readonly account?: string;
  /** The host of the issuer. */
  readonly issuer: string;
  /** The scopes that were granted; empty where nobody named any. */
  readonly scopes: readonly string[];
  readonly missing: readonly string[];
  readonly audience: string;
  /** For how many minutes more the answer is kept; at least 1. */
  readonly minutes: number;
}

/** The card of an open question. */
export function answerCard(
  { settings, ports }: PortalContext,
  { pending, held, request }: OpenQuestion,
): AnswerCard {
  const { provider, handle, scopes, audience, authorizationUrl } = request;
  const account = accountName(held.answer);
  const left = pending.heldAt + settings.loginSeconds - ports.clock.now();
  return {
    label: handle === '' ? provider : `${provider} ${handle}`,
    provider,
    issuer: new URL(authorizationUrl).host,
    // An issuer that names no scope granted what was asked for.
    scopes: splitScopes(held.answer.scope ?? scopes),
    missing: missingScopes(request, held.answer),
    audience,
    minutes: Math.max(1, Math.floor(left / 60)),
    ...(account === undefined ? {} : { account }),
  };
}
