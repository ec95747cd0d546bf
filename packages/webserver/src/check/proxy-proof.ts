// Proves that the proxy removes a forged REMOTE_USER header: only `--check` can create
// the question, and only the portal the answer.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The path of the question, below the mount path. */
export const PROOF_PATH = '/proxy-check';

/** Lifetime of a question, in seconds. */
const LIFETIME = 60;
/** The largest clock difference of two hosts that share a session store, in seconds. */
const SKEW = 30;

/** A question: the last part of its path, and the forged user name. */
export interface Question {
  readonly token: string;
  readonly forged: string;
}

/** The answer of the portal, as JSON. `proof` shows that the portal created it. */
export interface Answer {
  readonly arrived: boolean;
  readonly proof: string;
}

/**
 * Creates a question. `cookieSecret` is the secret of the session cookies, which both
 * sides read from the session store; `nonce` is random hexadecimal text that is used only
 * once; `now` is in epoch seconds.
 */
export function makeQuestion(cookieSecret: string, nonce: string, now: number): Question {
  const head = `${Math.floor(now) + LIFETIME}.${nonce}`;
  return { token: `${head}.${sealed(cookieSecret, 'question', head)}`, forged: forgedName(nonce) };
}

/**
 * Reads a question from a path; `undefined` if it was made with another secret or has
 * expired.
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

/** Creates the answer: whether the forged name arrived in any value of the header. */
export function makeAnswer(cookieSecret: string, token: string, arrived: boolean): Answer {
  return { arrived, proof: sealed(cookieSecret, String(arrived), token) };
}

/** Reads an answer; `undefined` if another program sent it. */
export function readAnswer(cookieSecret: string, token: string, text: string): boolean | undefined {
  const [, arrived = '', proof = ''] =
    /^\{"arrived":(true|false),"proof":"([0-9a-f]{64})"\}$/.exec(text) ?? [];
  if (arrived === '' || !isSame(proof, sealed(cookieSecret, arrived, token))) return undefined;
  return arrived === 'true';
}

/** A user name that no account has. */
const forgedName = (nonce: string): string => `forged-by-check-${nonce}`;

/**
 * Returns an HMAC-SHA-256 in hexadecimal. Its key is derived, so that it is never the
 * signature of a cookie.
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
