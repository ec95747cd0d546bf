// The parameters of renewals and retries.

import { knobDefault } from '../config/typed/declarations.ts';

/** All times in seconds; `fraction` and `jitter` are shares of a token's lifetime. */
export interface RenewalPolicy {
  /** A token is due at this share of its lifetime at the latest... */
  readonly fraction: number;
  /**
   * ...and the due times are spread over this share before it. Must be less than
   * `fraction`.
   */
  readonly jitter: number;
  /**
   * The maximum time between two renewals of a token; without it, only the lifetime
   * counts.
   */
  readonly refreshEvery?: number;
  /**
   * The remaining life at which a token is renewed, if that is later than `fraction` of its
   * lifetime; without it, only the fraction counts.
   */
  readonly margin?: number;
  /** The lifetime of a token that has none in its response or in itself. */
  readonly defaultLifetime: number;
  /** The delay after the first failure; it doubles after each further one. */
  readonly firstRetry: number;
  /**
   * The maximum delay of our own; an issuer's Retry-After may be longer while the token
   * is valid.
   */
  readonly longestRetry: number;
}

/** Half the lifetime, with a jitter of a tenth; retries from 10 seconds to 15 minutes. */
export const DEFAULT_POLICY: RenewalPolicy = {
  fraction: knobDefault('CREDMON_RENEW_FRACTION'),
  jitter: knobDefault('CREDMON_RENEW_JITTER'),
  defaultLifetime: knobDefault('CREDMON_DEFAULT_TOKEN_LIFETIME'),
  firstRetry: knobDefault('CREDMON_FIRST_RETRY'),
  longestRetry: knobDefault('CREDMON_LONGEST_RETRY'),
};

/**
 * The minimum time in seconds between a token's issue and its next renewal, for any
 * lifetime and policy.
 */
export const SHORTEST_PAUSE = 1;

// The jitter of a token: the same at every start, different for each token, so that
// renewals are spread over time.

/** FNV-1a over the text, scaled to [0, 1). */
export function jitterOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV-1a are badly mixed for names that differ only in the last letter.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 0) / 0x1_0000_0000;
}
