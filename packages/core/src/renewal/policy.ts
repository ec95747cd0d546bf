// The numbers that decide when a token is renewed and when a failed renewal is tried
// again.

import { knobDefault } from '../config/typed/declarations.ts';

/** All times in seconds; `fraction` and `jitter` are shares of a token's lifetime. */
export interface RenewalPolicy {
  /** A token is due at this share of its lifetime at the latest... */
  readonly fraction: number;
  /** ...and tokens are spread over this share before it. Must be less than `fraction`. */
  readonly jitter: number;
  /**
   * A token is fetched again after this time at the latest, however long it lives;
   * without it, its lifetime alone counts.
   */
  readonly refreshEvery?: number;
  /** The lifetime of a token that neither says nor carries one. */
  readonly defaultLifetime: number;
  /** The first wait after a failure; each further one doubles. */
  readonly firstRetry: number;
  /**
   * The longest wait that we choose ourselves; an issuer's Retry-After may be longer
   * while the token lives.
   */
  readonly longestRetry: number;
}

/** The policy of a configuration that sets nothing. */
export const DEFAULT_POLICY: RenewalPolicy = {
  fraction: knobDefault('CREDMON_RENEW_FRACTION'),
  jitter: knobDefault('CREDMON_RENEW_JITTER'),
  defaultLifetime: knobDefault('CREDMON_DEFAULT_TOKEN_LIFETIME'),
  firstRetry: knobDefault('CREDMON_FIRST_RETRY'),
  longestRetry: knobDefault('CREDMON_LONGEST_RETRY'),
};

/**
 * The shortest time in seconds between a token's issue and its next renewal, whatever its
 * lifetime and the policy say.
 */
export const SHORTEST_PAUSE = 1;

// A token's own place between 0 and 1: the same at every start, different for every
// token, so that nothing comes due in one second.

/** FNV-1a over the text, scaled to [0, 1). */
export function jitterOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV-1a mix badly for names that differ in their last letter only.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 0) / 0x1_0000_0000;
}
