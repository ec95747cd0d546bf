// After a failed renewal: the time of the next attempt, or the end of retries until
// something changes.
import { ERROR_CODES, isCoded, messageOf, type CodedError, type ErrorCode } from '../base/index.ts';
import type { RenewalState } from '../credential/snapshot.ts';
import { type RenewalPolicy, jitterOf } from './policy.ts';

/** A basis that matches every input: the failed renewal itself changed the inputs. */
export const ANY_BASIS = '*';

/**
 * The facts about a failure. `now` and `expiresAt` in epoch seconds; `expiresAt` of the
 * current token, if any.
 */
export interface Failure {
  readonly id: string;
  readonly error: unknown;
  readonly basis: string;
  readonly now: number;
  readonly expiresAt: number | undefined;
}

/**
 * Returns the state after a failure. Delays double from `firstRetry` to `longestRetry`,
 * and are at most a quarter of the remaining lifetime. The issuer's Retry-After may be
 * longer, but the token is tried before it expires. For an expired token it is at most
 * `longestRetry`. The error's field `outage` says whether the issuer behind the source is
 * down; a failure that says nothing about it keeps what is known.
 */
export function afterFailure(
  previous: RenewalState | undefined,
  failure: Failure,
  policy: RenewalPolicy,
): RenewalState {
  const { error, basis, now } = failure;
  const code: ErrorCode = isCoded(error) ? error.code : 'CRED_FILE_IO';
  const counting = previous?.basis === basis ? previous : undefined;
  const attempts = (counting?.attempts ?? 0) + 1;
  // Retries must not stop with ANY_BASIS: no later correction would be noticed.
  const stopped = ERROR_CODES[code].retry !== 'backoff' && basis !== ANY_BASIS;
  const seen = isCoded(error) ? error.fields['outage'] : undefined;
  const outage = seen ?? (!stopped && counting?.outage);
  return {
    attempts,
    last_attempt: Math.floor(now),
    not_before: Math.ceil(now + wait(attempts, failure, policy)),
    stopped,
    code,
    message: messageOf(error),
    basis,
    ...(outage === true ? { outage } : {}),
  };
}

/**
 * Returns the state of a token that was not tried for `seconds` because of failures of
 * other tokens. Its own delay does not grow, because its own renewal has not failed.
 * `basis` is its current basis, computed only after an earlier failure.
 */
export function afterWaiting(
  previous: RenewalState | undefined,
  error: CodedError,
  {
    basis,
    now,
    seconds,
  }: { readonly basis: () => string; readonly now: number; readonly seconds: number },
): RenewalState {
  const counts = previous !== undefined && previous.basis === basis();
  return {
    attempts: counts ? previous.attempts : 0,
    last_attempt: Math.floor(now),
    not_before: Math.ceil(now + seconds),
    stopped: false,
    code: error.code,
    message: error.message,
    basis: counts ? previous.basis : ANY_BASIS,
    ...(counts && previous.outage ? { outage: true } : {}),
  };
}

/**
 * The share of the remaining lifetime after which a token is tried, despite all delays.
 */
const LATEST = 0.75;

function wait(attempts: number, failure: Failure, policy: RenewalPolicy): number {
  const { id, error, now, expiresAt } = failure;
  const { firstRetry, longestRetry } = policy;
  const doubled = Math.min(longestRetry, firstRetry * 2 ** Math.min(attempts - 1, 30));
  const withJitter = doubled * (0.75 + 0.25 * jitterOf(`${id} ${attempts}`));
  const left = expiresAt === undefined ? 0 : expiresAt - now;
  if (left <= 0) return Math.max(withJitter, Math.min(retryAfterOf(error), longestRetry));
  const own = Math.min(withJitter, Math.max(firstRetry, left / 4));
  const requested = Math.min(retryAfterOf(error), Math.max(firstRetry, left * LATEST));
  return Math.max(own, requested);
}

function retryAfterOf(error: unknown): number {
  const seconds = isCoded(error) ? error.fields['retryAfter'] : undefined;
  return typeof seconds === 'number' ? seconds : 0;
}

/** True if a restart of the daemon discards this state and tries once. */
export function forgottenAtStart(state: RenewalState): boolean {
  return state.stopped && ERROR_CODES[state.code].retry === 'until-restart';
}
