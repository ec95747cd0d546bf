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

/** What makes the tokens of a kind of provider live longer. */
const LONGER: Readonly<Record<string, string>> = {
  local: 'set LOCAL_CREDMON_TOKEN_LIFETIME higher, or lower SEC_CREDENTIAL_REFRESH',
  vault: 'raise CREDMON_OAUTH_TOKEN_MINIMUM, or lower SEC_CREDENTIAL_REFRESH',
  standing: 'set CREDMON_STANDING_LIFETIME higher, or ask its issuer for longer lifetimes',
};

/** Who reads `stem` too late for so many seconds, and what to do, by the kind of its provider. */
export function shortLifeText(stem: string, provider: string, left: number): string {
  const who = provider === 'standing' ? 'a service' : 'a job';
  const mend = LONGER[provider] ?? 'ask the issuer for longer lifetimes, or lower SEC_CREDENTIAL_REFRESH';
  return `${who} may read ${stem} with only ${Math.max(0, left)} s left; ${mend}`;
}

/** The shortest lifetime, in seconds, whose worst case is not under the floor, where renewals go by a share of the lifetime. */
export function shortestLifetime({ fraction }: RenewalPolicy, habits: ReaderHabits): number {
  return Math.ceil((habits.floor + LONGEST_SLEEP + habits.starterRefresh) / (1 - fraction));
}
