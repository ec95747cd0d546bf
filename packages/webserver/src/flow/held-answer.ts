// Tokens that wait for the decision of the user: encrypted for one browser, kept for
// minutes, and removed with the decision.
import { isCoded, messageOf, systemCode } from '@credmon/core/base';
import { newFlowId, type PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import type { Issued } from './store-token.ts';
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';

/**
 * The session of a browser: its flow, and the id in its cookie. The id is a secret that
 * no store contains.
 */
export interface BrowserSession {
  readonly flow: string | undefined;
  readonly id: string;
}

/**
 * A waiting answer: the token response, and the digest of the key file of its request.
 */
export interface HeldAnswer extends Issued {
  readonly keyDigest: string;
}

/**
 * Stores an answer for this browser.
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

/** Reads an answer; `undefined` if it is gone, has expired, or is of another browser. */
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
 * Encrypts the answers of a flow again for the new id of the same browser. If this fails,
 * the user must sign in again.
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
 * Removes answers. If this fails, the answer expires, and cannot be decrypted without the
 * cookie of the browser.
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
        `failed to remove a decided answer: ${isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown')}`,
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

/** An answer can only be decrypted with its flow and its id. */
function infoOf({ flow }: BrowserSession, answer: string): string {
  return `credmon answer ${flow ?? ''} ${answer}`;
}

// Encryption for one browser: the key is derived from the id in its cookie, which no
// store contains.

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The number of random bytes that {@link seal} needs. */
export const SEAL_RANDOM_BYTES: number = NONCE_BYTES;

/**
 * Encrypts a text. `secret` and `info` are needed to decrypt it; `nonce` is {@link
 * SEAL_RANDOM_BYTES} random bytes.
 * @see NIST SP 800-38D (AES-GCM); RFC 5869 (HKDF)
 */
export function seal(secret: string, info: string, nonce: Uint8Array, text: string): string {
  const cipher = createCipheriv(CIPHER, keyOf(secret, info), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
}

/**
 * Decrypts the result of {@link seal}; `undefined` with another secret or info, and for
 * any other text.
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
    // The tag does not match: encrypted for another browser, or modified.
    return undefined;
  }
}

function keyOf(secret: string, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', info, KEY_BYTES));
}
