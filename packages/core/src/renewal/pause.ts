// The least time between two renewals of one token that both went well: no answer of an
// issuer may make us ask it without end.
import type { TokenTimes } from '../credential/times.ts';
import { dueByLifetime } from './due.ts';
import { SHORTEST_PAUSE, type RenewalPolicy } from './policy.ts';

/**
 * A token with a shorter life, in seconds, is of use to no job, and is not kept alive for
 * ever.
 */
export const SHORTEST_LIFETIME = 5;

/** So many renewals in a row may bring tokens that are so short-lived. */
export const SHORT_LIVES = 20;

/** The longest such pause, in seconds. */
export const LONGEST_PAUSE = 30;

/**
 * How long to leave a token alone, in seconds, after `shortLives` renewals in a row that
 * brought one of no use.
 */
export interface Pause {
  readonly seconds: number;
  readonly shortLives: number;
}

/**
 * The pause after a renewal that brought a token of these times at `now` (epoch seconds),
 * `before` being the short lives in a row until then. It is at least {@link
 * SHORTEST_PAUSE}, and otherwise ends before the token is due by its lifetime, except
 * after too many short lives.
 */
export function pauseAfter(
  before: number,
  times: TokenTimes,
  policy: RenewalPolicy,
  now: number,
): Pause {
  const shortLives = times.expiresAt - times.issuedAt < SHORTEST_LIFETIME ? before + 1 : 0;
  if (shortLives > SHORT_LIVES) return { seconds: LONGEST_PAUSE, shortLives };
  const untilDue = Math.max(SHORTEST_PAUSE, dueByLifetime(times, policy, 1) - now);
  return { seconds: Math.min(LONGEST_PAUSE, untilDue), shortLives };
}
