// Computes the minimum remaining lifetime of a token when a job reads it, to warn before
// jobs fail.
import {
  LONGEST_PAUSE,
  SHORTEST_LIFETIME,
  SHORT_LIVES,
  type ManagedToken,
  type RenewalPolicy,
} from '@credmon/core/renewal';
import { isStanding, STANDING_LOGIN } from '../providers/standing/ports.ts';
import { LONGEST_SLEEP } from '../settings/policy.ts';

/** What shortens the remaining lifetime, in seconds. */
export interface ReaderOptions {
  readonly floor: number;
  readonly starterRefresh: number;
}

/**
 * Returns the minimum remaining lifetime, in seconds, of a token with this `lifetime`:
 * without the time after which it is renewed, one interval between passes, and one between
 * two fetches of the starter; infinite for a token that does not expire.
 */
export function minimumRemaining(
  lifetime: number,
  policy: RenewalPolicy,
  options: ReaderOptions,
): number {
  if (!Number.isFinite(lifetime)) return lifetime;
  const byShare = Math.min(
    lifetime * policy.fraction,
    policy.refreshEvery ?? Number.POSITIVE_INFINITY,
  );
  const used = Math.max(byShare, lifetime - (policy.margin ?? lifetime));
  return Math.floor(lifetime - used - LONGEST_SLEEP - options.starterRefresh);
}

/** The same for an existing token; `undefined` when it is missing. */
export function minimumRemainingOf(
  { snapshot, policy, provider }: ManagedToken,
  options: ReaderOptions,
): number | undefined {
  if (snapshot.use.kind !== 'valid') return undefined;
  const { issuedAt, expiresAt } = snapshot.use.value;
  return minimumRemaining(
    expiresAt - issuedAt,
    policy,
    isStanding(provider) ? withoutStarter(options) : options,
  );
}

/** A standing token is read without a starter. */
export function withoutStarter({ floor }: ReaderOptions): ReaderOptions {
  return { floor, starterRefresh: 0 };
}

/**
 * Returns the shortest lifetime, in seconds, with a minimum remaining lifetime of
 * `floor`, for renewals by a share of the lifetime.
 */
export function shortestLifetime({ fraction }: RenewalPolicy, options: ReaderOptions): number {
  return Math.ceil((options.floor + LONGEST_SLEEP + options.starterRefresh) / (1 - fraction));
}

/** Returns a warning if a job may read the token with too little lifetime left. */
export function shortRemainingText(
  managed: ManagedToken,
  options: ReaderOptions,
): string | undefined {
  const { stem } = managed.snapshot;
  const standing = isStanding(managed.provider);
  const left = minimumRemainingOf(managed, standing ? { ...options, starterRefresh: 0 } : options);
  if (left === undefined || left >= options.floor) return undefined;
  const seconds = `only ${Math.max(0, left)} s left`;
  return standing
    ? `the standing token ${stem} may have ${seconds} when it is read; ${longer(managed)}`
    : `a job may read ${stem} with ${seconds}; ${longer(managed, options)}, or reduce SEC_CREDENTIAL_REFRESH`;
}

/** Returns a warning about a lifetime (seconds) that is too short for any use. */
export function shortLifetimeText(managed: ManagedToken, lifetime: number): string | undefined {
  if (lifetime >= SHORTEST_LIFETIME) return undefined;
  const { stem } = managed.snapshot;
  const rare =
    `after ${SHORT_LIVES} renewals in a row they are renewed every ` +
    `${LONGEST_PAUSE} s only; ${longer(managed)}`;
  switch (managed.provider) {
    case 'local':
      // Local tokens are renewed as often as their lifetime needs.
      return `the lifetime of the local tokens of ${stem} is ${lifetime} s, too short for any job; ${longer(managed)}`;
    case 'standing':
    case STANDING_LOGIN:
      return `the lifetime of the standing token ${stem} is ${lifetime} s, too short for any use: ${rare}`;
    default:
      return `the issuer of ${stem} gives tokens with a lifetime of ${lifetime} s, too short for any job: ${rare}`;
  }
}

/** With `options`, says which lifetime is long enough. */
function longer({ provider, snapshot, policy }: ManagedToken, options?: ReaderOptions): string {
  if (provider === 'local') return 'raise LOCAL_CREDMON_TOKEN_LIFETIME';
  // The issuer alone decides the lifetime of a token from a login.
  if (provider === 'standing')
    return (
      `raise CREDMON_STANDING_${snapshot.stem}_LIFETIME, ` +
      'or where it is fetched, ask its issuer for longer lifetimes'
    );
  return options === undefined
    ? 'ask the issuer for longer lifetimes'
    : lifetimeAdvice(shortestLifetime(policy, options));
}

/** Returns what to ask an issuer for; `seconds` is the shortest sufficient lifetime. */
export function lifetimeAdvice(seconds: number): string {
  return `ask the issuer for a lifetime of ${seconds} s or more`;
}
