// The least time between two renewals of one token that both went well: no answer of an issuer may make us ask it without end.
import type { TokenTimes } from '../credential/times.ts';
import { dueByLifetime } from './due.ts';
import type { RenewalPolicy } from './policy.ts';

/** A token with a shorter life, in seconds, is of use to no job, and is not kept alive at any price. */
export const SHORTEST_LIFETIME = 5;

/** The longest such pause, in seconds. */
export const LONGEST_PAUSE = 30;

/** The pause after a renewal that brought a token of these times, in seconds: it ends before the token is due by its lifetime. */
export function pauseAfter(times: TokenTimes, policy: RenewalPolicy): number {
  if (times.expiresAt - times.issuedAt < SHORTEST_LIFETIME) return LONGEST_PAUSE;
  return Math.min(LONGEST_PAUSE, dueByLifetime(times, policy, 1) - times.issuedAt);
}
