// Tokens that wait for the user's decision: sealed for one browser, kept for minutes, and
// removed with the decision.
import { isCoded, messageOf, systemCode } from '@credmon/core/base';
import { newFlowId, type PortalContext } from './context.ts';
import type { Flow } from './flow.ts';
import type { Issued } from './store-token.ts';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

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
  context: PortalContext,
  session: BrowserSession,
  localUser: string,
  held: HeldAnswer,
): Promise<string> {
  const answer = newFlowId(context, localUser);
  await put(context, session, answer, JSON.stringify(held));
  return answer;
}

/**
 * The answer of this id; `undefined` when it is gone, too old, or was held for another
 * browser.
 */
export async function readAnswer(
  { ports }: PortalContext,
  session: BrowserSession,
  answer: string,
): Promise<HeldAnswer | undefined> {
  const sealed = await ports.answers.read(answer);
  const text =
    sealed === undefined ? undefined : unseal(session.id, infoOf(session, answer), sealed);
  return text === undefined ? undefined : (JSON.parse(text) as HeldAnswer);
}

/**
 * Seals a flow's answers for the same browser under its new id. One that cannot be moved
 * is lost: the user signs in again.
 */
export async function moveAnswers(
  context: PortalContext,
  { pending }: Flow,
  from: BrowserSession,
  to: BrowserSession,
): Promise<void> {
  for (const { answer } of pending) {
    const held = await readAnswer(context, from, answer);
    if (held) await put(context, to, answer, JSON.stringify(held));
  }
}

/**
 * Forgets answers. One that cannot be removed ends by itself, and nobody can open it
 * without the browser's cookie.
 */
export async function dropAnswers(
  { ports }: PortalContext,
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
  context: PortalContext,
  session: BrowserSession,
  answer: string,
  text: string,
): Promise<void> {
  const nonce = context.ports.random(SEAL_RANDOM_BYTES);
  await context.ports.answers.put(answer, seal(session.id, infoOf(session, answer), nonce, text));
}

/** An answer opens only in the flow and under the id that it was sealed for. */
function infoOf({ flow }: BrowserSession, answer: string): string {
  return `credmon answer ${flow ?? ''} ${answer}`;
}

// Texts that only the browser which they are for can open: the key comes from the id in
// its cookie, which no store keeps.

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How many bytes of chance {@link seal} wants. */
export const SEAL_RANDOM_BYTES: number = NONCE_BYTES;

/**
 * Encrypts a text. `secret` is what opens it again, `info` what it must then be
 * called; `nonce` are {@link SEAL_RANDOM_BYTES} of chance.
 * @see NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF)
 */
export function seal(secret: string, info: string, nonce: Uint8Array, text: string): string {
  const cipher = createCipheriv(CIPHER, keyOf(secret, info), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/**
 * Decrypts what {@link seal} made; `undefined` with another secret or info, and for
 * anything else.
 */
export function unseal(secret: string, info: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, keyOf(secret, info), bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch {
    // The tag does not fit: sealed for another browser, or changed on the way.
    return undefined;
  }
}

function keyOf(secret: string, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', info, KEY_BYTES));
}
