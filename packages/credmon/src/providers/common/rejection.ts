// What a renewal that went wrong means: the user, the administrator, or time must mend it.
import { CodedError, isCoded, messageOf, tokenId, type ErrorCode, type TokenSnapshot } from '@credmon/core';
import type { Outcome } from './provider.ts';

/** The user must log in again or store another token. */
const REVOKED: ReadonlySet<ErrorCode> = new Set(['GRANT_REVOKED', 'SUBJECT_REFUSED']);

/** The administrator must act. */
const DENIED: ReadonlySet<ErrorCode> = new Set([
  'CLIENT_REFUSED',
  'ENDPOINT_REFUSED',
  'ISSUER_MISMATCH',
  'SECRET_UNREADABLE',
  'SCOPE_WIDENED',
  'PLUGIN_REFUSED',
]);

/** An attempt that brought no token. */
export type Refusal = Exclude<Outcome, { kind: 'issued' | 'gone' }>;

/** The outcome that an error stands for. */
export function refusal(token: TokenSnapshot, error: unknown): Refusal {
  // What is not coded is a mistake of ours; its text could hold anything, so only its kind is passed on.
  const coded = isCoded(error)
    ? error
    : new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : messageOf(typeof error)}`,
      );
  if (REVOKED.has(coded.code)) return { kind: 'revoked', error: coded };
  return { kind: DENIED.has(coded.code) ? 'denied' : 'failed', error: coded };
}

/**
 * The outcome of an error after which the refresh token may be another one: `top` is the text of `.top` with it. The failure then stands on
 * that one: what time does not mend is not asked for again and again.
 */
export function refusalAfter(token: TokenSnapshot, error: unknown, top: string | undefined): Refusal {
  const plain = refusal(token, error);
  if (top === undefined) return plain;
  return { ...plain, writes: [{ kind: 'top', text: top, durable: true }] };
}
