// Outcomes from answers and from errors, and what a failure depends on.
import { CodedError, ERROR_CODES, isCoded, messageOf } from '@credmon/core/base';
import { tokenId, type TokenSnapshot, type UseFile } from '@credmon/core/credential';
import type { Outcome } from './provider.ts';
import { createHash } from 'node:crypto';

// What a renewal that went wrong means: the user, the administrator, or time must fix it.

/** An attempt that brought no token. */
type Rejection = Exclude<Outcome, { kind: 'issued' | 'gone' }>;

/**
 * The outcome of an accepted answer. `top` is the text of `.top` with what replaces
 * something that may be spent: it goes first and durably. A `.use` that can be fetched
 * again needs no fsync (`durable` false).
 */
export function issuedWith(
  { text, times }: UseFile,
  top: string | undefined,
  durable = true,
): Outcome & { kind: 'issued' } {
  const use = { kind: 'use', text, durable } as const;
  const writes =
    top === undefined ? [use] : [{ kind: 'top', text: top, durable: true } as const, use];
  return { kind: 'issued', writes, times, rotated: top !== undefined };
}

/** The outcome that an error stands for. */
export function refusal(token: TokenSnapshot, error: unknown): Rejection {
  // What is not coded is a mistake of ours; its text could hold anything, so only its
  // kind is passed on.
  const coded = isCoded(error)
    ? error
    : new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : messageOf(typeof error)}`,
      );
  return { kind: ERROR_CODES[coded.code].outcome, error: coded };
}

/**
 * The outcome of an error after which the refresh token may be another one: `top` is the
 * text of `.top` with it. The failure then stands on that one: what time does not fix is
 * not asked for again and again.
 */
export function rejectionAfter(
  token: TokenSnapshot,
  error: unknown,
  top: string | undefined,
): Rejection {
  const plain = refusal(token, error);
  if (top === undefined) return plain;
  return { ...plain, writes: [{ kind: 'top', text: top, durable: true }] };
}

// What a renewal stands on, as one short text: a failure counts only as long as it stays
// the same.

/**
 * A digest of this version of `.top` and of `stands`, which holds no secret: only names
 * and versions of secrets.
 */
export function basisOf({ top }: TokenSnapshot, stands: unknown): string {
  const version =
    top.kind === 'missing' ? '' : `${top.identity?.ino ?? ''}:${top.identity?.mtime ?? ''}`;
  return createHash('sha256')
    .update(JSON.stringify([version, stands]))
    .digest('base64url')
    .slice(0, 22);
}
