// What the issuer of a token decides about its renewal: the lifetime that it has if nothing
// says it, and how late it is renewed. Pure.
import { splitStem, type TokenSnapshot } from '@credmon/core/credential';
import { defaultLifetimeOf, policyOf, type IssuerPolicy } from '@credmon/core/profiles';
import type { RenewalPolicy } from '@credmon/core/renewal';
import { LONGEST_SLEEP } from './policy.ts';
import type { Settings } from './read.ts';

type LifetimeSettings = Pick<Settings, 'policies' | 'lists' | 'policy'>;

function issuerOf(stem: string, { policies, lists }: LifetimeSettings): IssuerPolicy {
  return policyOf(policies, splitStem(stem, lists.specialNames)?.service ?? stem);
}

/**
 * Returns the lifetime in seconds of a token of this name without one; infinite if such
 * tokens do not expire.
 */
export function lifetimeOfStem(stem: string, settings: LifetimeSettings): number {
  return defaultLifetimeOf(issuerOf(stem, settings), settings.policy.defaultLifetime);
}

/**
 * Returns the token with the default lifetime of its provider, if a scan has assumed one.
 */
export function withOwnLifetime(token: TokenSnapshot, settings: LifetimeSettings): TokenSnapshot {
  const { use, assumed, stem } = token;
  if (assumed !== true || use.kind !== 'valid') return token;
  const expiresAt = use.value.issuedAt + lifetimeOfStem(stem, settings);
  return { ...token, use: { ...use, value: { ...use.value, expiresAt } } };
}

/**
 * Returns the renewal policies of tokens by name. A renewal at an issuer that revokes the
 * old access token is as late as it can be without a job that reads a token with less than
 * CREDMON_TOKEN_FLOOR left: before that come one interval between passes and one between
 * two fetches of the starter.
 */
export function renewalPolicies(
  settings: LifetimeSettings & Pick<Settings, 'floor' | 'starterRefresh'>,
): (stem: string) => RenewalPolicy {
  const { policies, policy, floor, starterRefresh } = settings;
  const late = { ...policy, margin: floor + LONGEST_SLEEP + starterRefresh };
  if (![...policies.values()].some(({ refreshRevokes }) => refreshRevokes)) return () => policy;
  return (stem) => (issuerOf(stem, settings).refreshRevokes ? late : policy);
}
