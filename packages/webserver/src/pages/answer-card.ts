// The question before tokens are stored: who signed in where, for which local account,
// and with which scopes.
import { splitScopes } from '@credmon/core/credential';
import { accountName } from '../flow/account.ts';
import type { OpenQuestion } from '../flow/open-question.ts';
import type { Desk } from '../flow/desk.ts';
import { missingScopes } from '../flow/judge-answer.ts';

/** What the template shows. */
export interface AnswerCard {
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
  { settings, ports }: Desk,
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
