// An answer that waits for a decision, with everything that the question needs.
import { CodedError } from '@credmon/core/base';
import type { Desk } from './desk.ts';
import { openAnswers, type Flow, type PendingAnswer } from './flow.ts';
import { readAnswer, type BrowserSession, type HeldAnswer } from './held-answer.ts';
import { readTokenRequest, type TokenRequest } from './read-request.ts';

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
  desk: Desk,
  session: BrowserSession,
  flow: Flow,
  answer: string,
): Promise<OpenQuestion> {
  const pending = findPending(desk, flow, answer);
  const held = await readAnswer(desk, session, answer);
  if (!held)
    throw new CodedError('LOGIN_EXPIRED', 'the answer of the provider is not kept any more');
  return { pending, held, request: readTokenRequest(desk, flow, pending.stem, held.keyDigest) };
}

/** The waiting answer of this id. @throws CodedError `LOGIN_EXPIRED` */
export function findPending({ settings, ports }: Desk, flow: Flow, answer: string): PendingAnswer {
  const pending = openAnswers(flow, ports.clock.now(), settings.loginSeconds).find(
    (one) => one.answer === answer,
  );
  if (pending) return pending;
  throw new CodedError(
    'LOGIN_EXPIRED',
    `no answer waits under that name, or it waited longer than ${settings.loginSeconds} s`,
  );
}
