// After a failed renewal: when to try again, or that trying stops until something
// changes.
import { ERROR_CODES, isCoded, messageOf, type CodedError, type ErrorCode } from '../base/index.ts';
import type { RenewalState } from '../credential/snapshot.ts';
import { type RenewalPolicy, jitterOf } from './policy.ts';

/**
 * The basis of a failure that counts whatever changes: the change came with the failure
 * itself.
 */
export const ANY_BASIS = '*';

/**
 * What a failure is judged by. `now` and `expiresAt` in epoch seconds; `expiresAt` of the
 * token still in place, if any.
 */
export interface Failure {
  readonly id: string;
  readonly error: unknown;
  readonly basis: string;
  readonly now: number;
  readonly expiresAt: number | undefined;
}

/**
 * The state after a failure. Waits double from `firstRetry` to `longestRetry`, and are
 * never more than a quarter of the life left. The issuer's own wish may be longer, but
 * never so long that the token expires untried, nor longer than `longestRetry` for one
 * that has expired.
 */
export function afterFailure(
  previous: RenewalState | undefined,
  failure: Failure,
  policy: RenewalPolicy,
): RenewalState {
  const { error, basis, now } = failure;
  const code: ErrorCode = isCoded(error) ? error.code : 'CRED_FILE_IO';
  const attempts = (previous?.basis === basis ? previous.attempts : 0) + 1;
  return {
    attempts,
    last_attempt: Math.floor(now),
    not_before: Math.ceil(now + wait(attempts, failure, policy)),
    // Nothing that anybody fixes would be seen any more.
    stopped: ERROR_CODES[code].retry !== 'backoff' && basis !== ANY_BASIS,
    code,
    message: messageOf(error),
    basis,
  };
}

/**
 * The state of a token that was not tried for so many `seconds`, because of what happened
 * to others: nothing of its own has failed, so its next wait is no longer for it. `basis`
 * is what it stands on, needed only when something failed before.
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
  };
}

/**
 * The share of the life left after which a token is tried, whatever else says to wait.
 */
const LATEST = 0.75;

function wait(attempts: number, failure: Failure, policy: RenewalPolicy): number {
  const { id, error, now, expiresAt } = failure;
  const { firstRetry, longestRetry } = policy;
  const doubled = Math.min(longestRetry, firstRetry * 2 ** Math.min(attempts - 1, 30));
  const spread = doubled * (0.75 + 0.25 * jitterOf(`${id} ${attempts}`));
  const left = expiresAt === undefined ? 0 : expiresAt - now;
  if (left <= 0) return Math.max(spread, Math.min(retryAfterOf(error), longestRetry));
  const own = Math.min(spread, Math.max(firstRetry, left / 4));
  const wished = Math.min(retryAfterOf(error), Math.max(firstRetry, left * LATEST));
  return Math.max(own, wished);
}

function retryAfterOf(error: unknown): number {
  const seconds = isCoded(error) ? error.fields['retryAfter'] : undefined;
  return typeof seconds === 'number' ? seconds : 0;
}

/** True when a restart of the daemon should forget this state and try once. */
export function forgottenAtStart(state: RenewalState): boolean {
  return state.stopped && ERROR_CODES[state.code].retry === 'until-restart';
}
