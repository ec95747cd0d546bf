// Proof that the proxy in front removes a forged REMOTE_USER header: a question that only
// `--check` can ask, and an answer that only the portal can give.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Where the portal answers, below the mount. */
export const PROOF_PATH = '/proxy-check';

/** How long a question can be answered, in seconds. */
const LIFETIME = 60;
/**
 * How far apart the clocks of two hosts that share a session store may be, in seconds.
 */
const SKEW = 30;

/** A question: the last part of its path, and the user name that its requests forge. */
export interface Question {
  readonly token: string;
  readonly forged: string;
}

/** The portal's answer, as JSON. `proof` shows that the portal gave it. */
export interface Answer {
  readonly arrived: boolean;
  readonly proof: string;
}

/**
 * Makes a question. `cookieSecret` is the secret of the portal's session cookies, which
 * both sides read from the session store; `nonce` is random hexadecimal text that is
 * never used again; `now` is in epoch seconds.
 */
export function makeQuestion(cookieSecret: string, nonce: string, now: number): Question {
  const head = `${Math.floor(now) + LIFETIME}.${nonce}`;
  return { token: `${head}.${sealed(cookieSecret, 'question', head)}`, forged: forgedName(nonce) };
}

/**
 * The question of a path; `undefined` when it was not made with this secret, or is too
 * old.
 */
export function readQuestion(
  cookieSecret: string,
  token: string,
  now: number,
): { readonly forged: string; readonly expiresAt: number } | undefined {
  const [, head = '', expiry = '', nonce = '', seal = ''] =
    /^((\d{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})$/.exec(token) ?? [];
  if (head === '' || !isSame(seal, sealed(cookieSecret, 'question', head))) return undefined;
  const expiresAt = Number(expiry) + SKEW;
  return now < expiresAt && expiresAt <= now + LIFETIME + 2 * SKEW
    ? { forged: forgedName(nonce), expiresAt }
    : undefined;
}

/**
 * What the portal says: whether the forged name came with the request, in any of the
 * values of the header.
 */
export function makeAnswer(cookieSecret: string, token: string, arrived: boolean): Answer {
  return { arrived, proof: sealed(cookieSecret, String(arrived), token) };
}

/** Reads an answer; `undefined` when another program gave it. */
export function readAnswer(cookieSecret: string, token: string, text: string): boolean | undefined {
  const [, said = '', proof = ''] =
    /^\{"arrived":(true|false),"proof":"([0-9a-f]{64})"\}$/.exec(text) ?? [];
  if (said === '' || !isSame(proof, sealed(cookieSecret, said, token))) return undefined;
  return said === 'true';
}

/** No account has this name. */
const forgedName = (nonce: string): string => `forged-by-check-${nonce}`;

/**
 * HMAC-SHA-256 in hexadecimal, with a key of its own, so that it is never the signature
 * of a cookie.
 */
function sealed(cookieSecret: string, purpose: string, text: string): string {
  const key = createHash('sha256')
    .update(`condor_credmon_webserver proxy check\n${cookieSecret}`)
    .digest();
  return createHmac('sha256', key).update(`${purpose}\n${text}`).digest('hex');
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
