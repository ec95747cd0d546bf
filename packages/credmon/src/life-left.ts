// How much life a token still has, at worst, when a job reads it; too little is worth a warning before jobs fail.
import type { ManagedToken, RenewalPolicy } from '@credmon/core';
import { LONGEST_SLEEP } from './intervals.ts';

/** The numbers that eat into a token's life, in seconds. */
export interface ReaderHabits {
  readonly floor: number;
  readonly starterRefresh: number;
}

/**
 * The worst case in seconds of a token that lives `lifetime` seconds: less the share after which it is renewed, one interval between
 * passes, and one between two fetches of the starter.
 */
export function worstLife(lifetime: number, policy: RenewalPolicy, habits: ReaderHabits): number {
  const used = Math.min(lifetime * policy.fraction, policy.refreshEvery ?? Number.POSITIVE_INFINITY);
  return Math.floor(lifetime - used - LONGEST_SLEEP - habits.starterRefresh);
}

/** The same for a token that is there; `undefined` when it is not. */
export function worstLifeLeft(
  { snapshot, policy, provider }: ManagedToken,
  habits: ReaderHabits,
): number | undefined {
  if (snapshot.use.kind !== 'valid') return undefined;
  const { issuedAt, expiresAt } = snapshot.use.value;
  return worstLife(expiresAt - issuedAt, policy, provider === 'standing' ? withoutStarter(habits) : habits);
}

/** No starter stands between a standing token and its service. */
export function withoutStarter({ floor }: ReaderHabits): ReaderHabits {
  return { floor, starterRefresh: 0 };
}

/** The shortest lifetime, in seconds, whose worst case is not under the floor, where renewals go by a share of the lifetime. */
export function shortestLifetime({ fraction }: RenewalPolicy, habits: ReaderHabits): number {
  return Math.ceil((habits.floor + LONGEST_SLEEP + habits.starterRefresh) / (1 - fraction));
}
