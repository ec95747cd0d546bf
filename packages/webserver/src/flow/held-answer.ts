// Tokens that wait for the user's decision: sealed for one browser, kept for minutes, and
// removed with the decision.
import { isCoded, messageOf, systemCode } from '@credmon/core/base';
import { newFlowId, type Desk } from './desk.ts';
import type { Flow } from './flow.ts';
import { SEAL_RANDOM_BYTES, seal, unseal } from './sealed-text.ts';
import type { Issued } from './store-token.ts';

/**
 * The browser that a request came from: its flow, and the id in its cookie. The id is a
 * secret that no store keeps.
 */
export interface BrowserSession {
  readonly flow: string | undefined;
  readonly id: string;
}

/**
 * What waits: the issuer's answer, and a digest of the key file that it was asked for
 * with.
 */
export interface HeldAnswer extends Issued {
  readonly keyDigest: string;
}

/**
 * Keeps an answer for the browser.
 * @returns its id
 * @throws CodedError `SESSION_STORE_FULL`, `SESSION_STORE_DOWN`
 */
export async function holdAnswer(
  desk: Desk,
  session: BrowserSession,
  localUser: string,
  held: HeldAnswer,
): Promise<string> {
  const answer = newFlowId(desk, localUser);
  await put(desk, session, answer, JSON.stringify(held));
  return answer;
}

/**
 * The answer of this id; `undefined` when it is gone, too old, or was held for another
 * browser.
 */
export async function readAnswer(
  { ports }: Desk,
  session: BrowserSession,
  answer: string,
): Promise<HeldAnswer | undefined> {
  const sealed = await ports.answers.read(answer);
  const text =
    sealed === undefined ? undefined : unseal(session.id, contextOf(session, answer), sealed);
  return text === undefined ? undefined : (JSON.parse(text) as HeldAnswer);
}

/**
 * Seals a flow's answers for the same browser under its new id. One that cannot be moved
 * is lost: the user signs in again.
 */
export async function moveAnswers(
  desk: Desk,
  { pending }: Flow,
  from: BrowserSession,
  to: BrowserSession,
): Promise<void> {
  for (const { answer } of pending) {
    const held = await readAnswer(desk, from, answer);
    if (held) await put(desk, to, answer, JSON.stringify(held));
  }
}

/**
 * Forgets answers. One that cannot be removed ends by itself, and nobody can open it
 * without the browser's cookie.
 */
export async function dropAnswers(
  { ports }: Desk,
  answers: readonly { readonly answer: string }[],
): Promise<void> {
  for (const { answer } of answers)
    try {
      await ports.answers.remove(answer);
    } catch (error) {
      ports.log.warn(
        `failed to remove an answer that was decided: ${isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown')}`,
      );
    }
}

async function put(
  desk: Desk,
  session: BrowserSession,
  answer: string,
  text: string,
): Promise<void> {
  const nonce = desk.ports.random(SEAL_RANDOM_BYTES);
  await desk.ports.answers.put(answer, seal(session.id, contextOf(session, answer), nonce, text));
}

/** An answer opens only in the flow and under the id that it was sealed for. */
function contextOf({ flow }: BrowserSession, answer: string): string {
  return `credmon answer ${flow ?? ''} ${answer}`;
}
