// When a token is due, and why, from its files alone.
import type { TokenTimes } from '../credential/times.ts';
import { isPresent, tokenId, type Instant, type TokenSnapshot } from '../credential/snapshot.ts';
import { SHORTEST_PAUSE, type RenewalPolicy, jitterOf } from './policy.ts';

/** Why a token is due, now or later. */
export type DueReason = 'lifetime' | 'use-missing' | 'use-broken' | 'newer-top' | 'clock-stepped';

/** `at` is on the token's own clock, see {@link localNow}. */
export interface Due {
  readonly at: number;
  readonly reason: DueReason;
}

/** Seconds. A time of issue further in the future is caused by a wrong clock. */
const CLOCK_TOLERANCE = 120;
/**
 * Seconds. A `.use` with the mark of a device login belongs to a `.top` stored within
 * this time after it.
 */
const LOGIN_SECONDS = 60;
/**
 * Seconds over which renewals of tokens with a time of issue in the future are spread.
 */
const CLOCK_REPAIR = 60;

/**
 * Returns the time on a token's own clock: the wall clock when its `.use` was first seen,
 * plus the steady seconds since then. A step of the wall clock while the daemon runs
 * neither renews all tokens nor hides an expired one.
 */
export function localNow(token: TokenSnapshot, now: Instant): number {
  return token.seen.wall + (now.steady - token.seen.steady);
}

/**
 * Returns the time (epoch seconds) at which a token is due by its lifetime: at least
 * {@link SHORTEST_PAUSE} after its issue; infinite for a token that does not expire.
 * `jitter` between 0 and 1 is the token's own. With a margin, the token is due when that
 * much life is left, and the due times are spread over at most one more margin before it.
 */
export function dueByLifetime(times: TokenTimes, policy: RenewalPolicy, jitter: number): number {
  const lifetime = times.expiresAt - times.issuedAt;
  const counted = Math.min(
    lifetime,
    (policy.refreshEvery ?? Number.POSITIVE_INFINITY) / policy.fraction,
  );
  const share = Math.max(0, policy.fraction - policy.jitter * jitter);
  return (
    times.issuedAt + Math.max(SHORTEST_PAUSE, counted * share, lateShare(lifetime, policy, jitter))
  );
}

/** Seconds from the issue of a token to its margin; zero without one. */
function lateShare(
  lifetime: number,
  { margin, jitter: spread }: RenewalPolicy,
  jitter: number,
): number {
  if (margin === undefined || !Number.isFinite(lifetime)) return 0;
  return lifetime - margin - Math.min(margin, spread * lifetime) * jitter;
}

/**
 * Returns when and why the token is due, regardless of failed renewals. A modification
 * time of `.top` after `now` (epoch seconds) is caused by a wrong clock and ignored:
 * `.top` would otherwise be newer than every later `.use`. A `.use` that is known to come
 * from another `.top` is due without comparing times.
 */
export function dueOf(
  token: TokenSnapshot,
  policy: RenewalPolicy,
  now: number = Number.POSITIVE_INFINITY,
): Due {
  const { top, use, seen } = token;
  if (use.kind === 'missing') return { at: Number.NEGATIVE_INFINITY, reason: 'use-missing' };
  if (use.kind === 'broken') return { at: Number.NEGATIVE_INFINITY, reason: 'use-broken' };
  if (isPresent(top)) {
    const mtime = top.identity?.mtime ?? Number.NEGATIVE_INFINITY;
    // A device login stores `.use` first.
    const madeFrom = use.identity.mtime + (use.value.beforeTop === true ? LOGIN_SECONDS : 0);
    const isNewer = mtime > madeFrom && mtime <= now + CLOCK_TOLERANCE;
    if (isNewer || token.overtaken === true)
      return { at: Number.NEGATIVE_INFINITY, reason: 'newer-top' };
  }
  const jitter = jitterOf(tokenId(token));
  if (use.value.issuedAt > seen.wall + CLOCK_TOLERANCE) {
    return { at: seen.wall + CLOCK_REPAIR * jitter, reason: 'clock-stepped' };
  }
  return { at: dueByLifetime(use.value, policy, jitter), reason: 'lifetime' };
}

// The minimum time between two successful renewals of a token: no response may cause an
// endless loop of requests.

/**
 * Seconds. A token with a shorter lifetime is useless for jobs and is not renewed for
 * ever.
 */
export const SHORTEST_LIFETIME = 5;

/** The maximum number of consecutive renewals with such a short lifetime. */
export const SHORT_LIVES = 20;

/** The maximum pause, in seconds. */
export const LONGEST_PAUSE = 30;

/**
 * The seconds without a renewal, and the number of consecutive renewals with a useless
 * lifetime.
 */
interface Pause {
  readonly seconds: number;
  readonly shortLives: number;
}

/**
 * Returns the pause after a renewal at `now` (epoch seconds) with a token of these times;
 * `before` is the number of short lifetimes in a row until then. It is at least {@link
 * SHORTEST_PAUSE}, and ends before the token is due by its lifetime, except after too
 * many short lifetimes.
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
