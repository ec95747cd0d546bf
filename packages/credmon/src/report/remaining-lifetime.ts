// How much life a token still has, at worst, when a job reads it; too little is worth a
// warning before jobs fail.
import {
  LONGEST_PAUSE,
  SHORTEST_LIFETIME,
  SHORT_LIVES,
  type ManagedToken,
  type RenewalPolicy,
} from '@credmon/core/renewal';
import { LONGEST_SLEEP } from '../settings/policy.ts';

/** The numbers that eat into a token's life, in seconds. */
export interface ReaderHabits {
  readonly floor: number;
  readonly starterRefresh: number;
}

/**
 * The worst case in seconds of a token that lives `lifetime` seconds: less the share
 * after which it is renewed, one interval between passes, and one between two fetches of
 * the starter.
 */
export function worstLife(lifetime: number, policy: RenewalPolicy, habits: ReaderHabits): number {
  const used = Math.min(
    lifetime * policy.fraction,
    policy.refreshEvery ?? Number.POSITIVE_INFINITY,
  );
  return Math.floor(lifetime - used - LONGEST_SLEEP - habits.starterRefresh);
}

/** The same for a token that is there; `undefined` when it is not. */
export function worstLifeLeft(
  { snapshot, policy, provider }: ManagedToken,
  habits: ReaderHabits,
): number | undefined {
  if (snapshot.use.kind !== 'valid') return undefined;
  const { issuedAt, expiresAt } = snapshot.use.value;
  return worstLife(
    expiresAt - issuedAt,
    policy,
    provider === 'standing' ? withoutStarter(habits) : habits,
  );
}

/** No starter stands between a standing token and its service. */
export function withoutStarter({ floor }: ReaderHabits): ReaderHabits {
  return { floor, starterRefresh: 0 };
}

/**
 * The shortest lifetime, in seconds, whose worst case is not under the floor, where
 * renewals go by a share of the lifetime.
 */
export function shortestLifetime({ fraction }: RenewalPolicy, habits: ReaderHabits): number {
  return Math.ceil((habits.floor + LONGEST_SLEEP + habits.starterRefresh) / (1 - fraction));
}

/**
 * What to say of a token that a job may read too late; `undefined` when its life is long
 * enough.
 */
export function shortLifeText(token: ManagedToken, habits: ReaderHabits): string | undefined {
  const { stem } = token.snapshot;
  const standing = token.provider === 'standing';
  // No starter fetches a standing token.
  const left = worstLifeLeft(token, standing ? { ...habits, starterRefresh: 0 } : habits);
  if (left === undefined || left >= habits.floor) return undefined;
  const seconds = `only ${Math.max(0, left)} s left`;
  return standing
    ? `the standing token ${stem} may have ${seconds} when it is read; ${longer(token)}`
    : `a job may read ${stem} with ${seconds}; ${longer(token)}, or lower SEC_CREDENTIAL_REFRESH`;
}

/**
 * What to say of a token that lives `life` seconds, which is too short for anything;
 * `undefined` when it is not.
 */
export function noLifeText(token: ManagedToken, life: number): string | undefined {
  if (life >= SHORTEST_LIFETIME) return undefined;
  const { stem } = token.snapshot;
  const rare = `after ${SHORT_LIVES} renewals in a row they are renewed every ${LONGEST_PAUSE} s only; ${longer(token)}`;
  switch (token.provider) {
    case 'local':
      // What is signed here is renewed as often as its lifetime wants.
      return `the tokens that are signed for ${stem} live ${life} s, too short for any job; ${longer(token)}`;
    case 'standing':
      return `the standing tokens ${stem} live ${life} s, too short for any use: ${rare}`;
    default:
      return `the tokens that the issuer of ${stem} gives live ${life} s, too short for any job: ${rare}`;
  }
}

function longer({ provider, snapshot }: ManagedToken): string {
  if (provider === 'local') return 'raise LOCAL_CREDMON_TOKEN_LIFETIME';
  return provider === 'standing'
    ? `raise CREDMON_STANDING_${snapshot.stem}_LIFETIME, or where it is fetched, ask its issuer for longer lifetimes`
    : 'ask the issuer for longer lifetimes';
}
