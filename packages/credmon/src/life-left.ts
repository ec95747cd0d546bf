// How much life a token still has, at worst, when a job reads it; too little is worth a warning before jobs fail.
import type { ManagedToken } from '@credmon/core';
import { LONGEST_SLEEP } from './intervals.ts';

/** The numbers that eat into a token's life, in seconds. */
export interface ReaderHabits {
  readonly floor: number;
  readonly starterRefresh: number;
}

/**
 * The worst case in seconds: the lifetime, less the share after which it is renewed, one interval between passes, and one between two
 * fetches of the starter. `undefined` when the token is not there.
 */
export function worstLifeLeft({ snapshot, policy }: ManagedToken, habits: ReaderHabits): number | undefined {
  if (snapshot.use.kind !== 'valid') return undefined;
  const { issuedAt, expiresAt } = snapshot.use.value;
  const lifetime = expiresAt - issuedAt;
  const used = Math.min(lifetime * policy.fraction, policy.refreshEvery ?? Number.POSITIVE_INFINITY);
  return Math.floor(lifetime - used - LONGEST_SLEEP - habits.starterRefresh);
}
