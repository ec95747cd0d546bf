// Creates outcomes from answers and errors, and the fingerprint that a failure depends
// on.
import { CodedError, ERROR_CODES, isCoded, messageOf } from '@credmon/core/base';
import {
  issuedText,
  tokenId,
  type TokenAnswer,
  type TokenSnapshot,
  type UseFile,
} from '@credmon/core/credential';
import type { TokenWrite } from '@credmon/core/store';
import type { Outcome } from './provider.ts';
import { createHash } from 'node:crypto';

// Failed renewals: the user, the administrator or time must fix them.

/** An attempt without a token. */
type Rejection = Exclude<Outcome, { kind: 'issued' | 'gone' }>;

/**
 * Returns the outcome of an accepted answer. `top` is the new text of `.top` if the old
 * refresh token may be spent: it is written first, with fsync. A `.use` that can be
 * fetched again needs no fsync (`durable` false). `issued` is the text of `.S.issued` for
 * a bare token: it is written before `.use`, so that no token is without its times.
 */
export function issuedWith(
  { text, times }: UseFile,
  top: string | undefined,
  { durable = true, issued }: { readonly durable?: boolean; readonly issued?: string } = {},
): Outcome & { kind: 'issued' } {
  const writes: TokenWrite[] = [
    ...(top === undefined ? [] : [{ kind: 'top', text: top, durable: true } as const]),
    ...(issued === undefined ? [] : [{ kind: 'issued', text: issued, durable } as const]),
    { kind: 'use', text, durable },
  ];
  return { kind: 'issued', writes, times, rotated: top !== undefined };
}

/** The state of a token that is stored bare, see {@link issuedWith}. */
export function bareState(
  json: boolean,
  answer: TokenAnswer,
  { times }: UseFile,
): { readonly issued?: string } {
  return json ? {} : { issued: issuedText(answer, times) };
}

/** Returns the outcome for an error. */
export function rejectionOf(token: TokenSnapshot, error: unknown): Rejection {
  // An error without a code is a bug; its text may contain anything, so only its name is
  // used.
  const coded = isCoded(error)
    ? error
    : new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : messageOf(typeof error)}`,
      );
  return { kind: ERROR_CODES[coded.code].outcome, error: coded };
}

/**
 * Returns the outcome of an error after which the refresh token may have changed: `top`
 * is the text of `.top` with the new one. The fingerprint then includes the new `.top`,
 * so that a final failure is not retried.
 */
export function rejectionAfter(
  token: TokenSnapshot,
  error: unknown,
  top: string | undefined,
): Rejection {
  const plain = rejectionOf(token, error);
  if (top === undefined) return plain;
  return { ...plain, writes: [{ kind: 'top', text: top, durable: true }] };
}

// The fingerprint of what a renewal depends on: a failure counts only while it is
// unchanged.

/**
 * Returns a digest of this version of `.top` and of `input`, which contains no secret:
 * only names and versions of secrets.
 */
export function basisOf({ top }: TokenSnapshot, input: unknown): string {
  const version =
    top.kind === 'missing' ? '' : `${top.identity?.ino ?? ''}:${top.identity?.mtime ?? ''}`;
  return createHash('sha256')
    .update(JSON.stringify([version, input]))
    .digest('base64url')
    .slice(0, 22);
}
