// When a token is due, and why, by its files alone.
import type { TokenTimes } from '../credential/times.ts';
import { tokenId, type Instant, type TokenSnapshot } from '../credential/snapshot.ts';
import { SHORTEST_PAUSE, type RenewalPolicy, jitterOf } from './policy.ts';

/** Why a token is, or will be, due. */
export type DueReason = 'lifetime' | 'use-missing' | 'use-broken' | 'newer-top' | 'clock-stepped';

/** `at` is on the token's own time line, see {@link localNow}. */
export interface Due {
  readonly at: number;
  readonly reason: DueReason;
}

/** An issue time further in the future than this is a clock's mistake, in seconds. */
const CLOCK_TOLERANCE = 120;
/**
 * A `.use` that says so belongs to a `.top` that was stored within this many seconds
 * after it.
 */
const LOGIN_SECONDS = 60;
/** Tokens with such an issue time are renewed spread over this many seconds. */
const CLOCK_REPAIR = 60;

/**
 * The time on a token's own line: the wall clock when its `.use` was first seen, plus the
 * steady seconds since. A step of the wall clock while the daemon runs neither renews
 * everything nor leaves an expired token in place.
 */
export function localNow(token: TokenSnapshot, now: Instant): number {
  return token.seen.wall + (now.steady - token.seen.steady);
}

/**
 * Returns when (epoch seconds) a token of these times is due by its lifetime: never
 * earlier than {@link SHORTEST_PAUSE} after its issue. `spread` between 0 and 1 is the
 * token's own.
 */
export function dueByLifetime(times: TokenTimes, policy: RenewalPolicy, spread: number): number {
  const lifetime = times.expiresAt - times.issuedAt;
  const counted = Math.min(
    lifetime,
    (policy.refreshEvery ?? Number.POSITIVE_INFINITY) / policy.fraction,
  );
  const share = Math.max(0, policy.fraction - policy.jitter * spread);
  return times.issuedAt + Math.max(SHORTEST_PAUSE, counted * share);
}

/**
 * When the token is due and why, as if no renewal had ever failed. A `.top` from the
 * future of `now` (epoch seconds) is a clock's mistake, not news: it would otherwise be
 * newer than every `.use` to come. A `.use` that is known to come from another `.top`
 * needs no comparison of times.
 */
export function dueOf(
  token: TokenSnapshot,
  policy: RenewalPolicy,
  now: number = Number.POSITIVE_INFINITY,
): Due {
  const { top, use, seen } = token;
  if (use.kind === 'missing') return { at: Number.NEGATIVE_INFINITY, reason: 'use-missing' };
  if (use.kind === 'broken') return { at: Number.NEGATIVE_INFINITY, reason: 'use-broken' };
  if (top.kind === 'valid') {
    const { mtime } = top.identity;
    // A device login stores `.use` first.
    const news = use.identity.mtime + (use.value.beforeTop === true ? LOGIN_SECONDS : 0);
    const isNewer = mtime > news && mtime <= now + CLOCK_TOLERANCE;
    if (isNewer || token.overtaken === true)
      return { at: Number.NEGATIVE_INFINITY, reason: 'newer-top' };
  }
  const spread = jitterOf(tokenId(token));
  if (use.value.issuedAt > seen.wall + CLOCK_TOLERANCE) {
    return { at: seen.wall + CLOCK_REPAIR * spread, reason: 'clock-stepped' };
  }
  return { at: dueByLifetime(use.value, policy, spread), reason: 'lifetime' };
}

// The least time between two renewals of one token that both went well: no answer of an
// issuer may make us ask it without end.

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
interface Pause {
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
