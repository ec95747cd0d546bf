// What an issuer decides about renewals: default lifetimes, tokens that do not expire, and
// late renewals.
import type { TokenSnapshot } from '@credmon/core/credential';
import { describe, expect, it } from 'vitest';
import { lifetimeOfStem, renewalPolicies, withOwnLifetime } from '../../src/settings/policy.ts';
import { settingsWith } from '../support/access-point.ts';

const never = Number.POSITIVE_INFINITY;
const settings = settingsWith({
  CREDMON_DEFAULT_TOKEN_LIFETIME: '900',
  CREDMON_hub_PROFILE: 'github',
  CREDMON_expiring_PROFILE: 'github',
  CREDMON_expiring_DEFAULT_TOKEN_LIFETIME: '7200',
  CREDMON_long_DEFAULT_TOKEN_LIFETIME: '86400',
  CREDMON_id_PROFILE: 'orcid',
  CREDMON_TOKEN_FLOOR: '500',
  SEC_CREDENTIAL_REFRESH: '200',
});

it.each([
  ['plain', 900],
  ['hub', never],
  ['HUB_h1', never],
  ['expiring', 7200],
  ['long_h1', 86_400],
])('a token %s without a lifetime has one of %d s', (stem, seconds) => {
  expect(lifetimeOfStem(stem, settings)).toBe(seconds);
});

describe('the lifetime of a token found by a scan', () => {
  const token = (stem: string, change: Partial<TokenSnapshot> = {}): TokenSnapshot => ({
    user: 'alice',
    stem,
    top: { kind: 'missing' },
    use: {
      kind: 'valid',
      value: { issuedAt: 1000, expiresAt: 1900 },
      identity: { ino: 1, mtime: 1000, size: 1 },
    },
    meta: { kind: 'missing' },
    renewal: undefined,
    seen: { wall: 1000, steady: 0 },
    ...change,
  });

  it.each([
    ['of its provider, if it is assumed', 'long', { assumed: true }, 87_400],
    ['of a provider whose tokens do not expire', 'hub', { assumed: true }, never],
    ['as in its file', 'long', {}, 1900],
  ])('is that %s', (_, stem, change, expiresAt) => {
    expect(withOwnLifetime(token(stem, change), settings).use).toMatchObject({
      value: { issuedAt: 1000, expiresAt },
    });
  });

  it('is none without a valid .use', () => {
    const missing = token('hub', { use: { kind: 'missing' }, assumed: true });
    expect(withOwnLifetime(missing, settings)).toBe(missing);
  });
});

describe('the renewal policy of a token', () => {
  it('has a margin at an issuer that revokes the old token: floor, pass and starter', () => {
    const policyOf = renewalPolicies(settings);
    expect(policyOf('id_h1')).toEqual({ ...settings.policy, margin: 760 });
    expect(policyOf('plain')).toBe(settings.policy);
  });

  it('is the same for all without such an issuer', () => {
    const others = settingsWith({ CREDMON_hub_PROFILE: 'keycloak' });
    expect(renewalPolicies(others)('hub')).toBe(others.policy);
  });
});
