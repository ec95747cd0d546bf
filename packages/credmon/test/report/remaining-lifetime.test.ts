// What is said of tokens that live too short, by who gives them.
import { DEFAULT_POLICY, type ManagedToken } from '@credmon/core/renewal';
import { expect, it } from 'vitest';
import {
  minimumRemainingOf,
  shortLifetimeText,
  shortRemainingText,
} from '../../src/report/remaining-lifetime.ts';

const NOW = 1_000_000;
const HABITS = { floor: 600, starterRefresh: 300 };

function token(provider: string, stem: string, life: number): ManagedToken {
  const missing = { kind: 'missing' } as const;
  const identity = { ino: 1, mtime: NOW, size: 1 };
  const use = { kind: 'valid', value: { issuedAt: NOW, expiresAt: NOW + life }, identity } as const;
  const seen = { wall: NOW, steady: 0 };
  return {
    snapshot: { user: 'alice', stem, top: missing, use, meta: missing, renewal: undefined, seen },
    provider,
    renewable: { ok: true, value: true },
    basis: () => '',
    policy: DEFAULT_POLICY,
  };
}

it.each([
  [
    'local',
    'scitokens',
    'a job may read scitokens with only 240 s left; raise LOCAL_CREDMON_TOKEN_LIFETIME, or reduce SEC_CREDENTIAL_REFRESH',
  ],
  [
    'standing',
    'ce1',
    'the standing token ce1 may have only 540 s left when it is read; raise CREDMON_STANDING_ce1_LIFETIME, or where it is fetched, ask its issuer for longer lifetimes',
  ],
  [
    'oauth',
    'mytok',
    'a job may read mytok with only 240 s left; ask the issuer for a lifetime of 1920 s or more, or reduce SEC_CREDENTIAL_REFRESH',
  ],
])('R18 a short life, %s', (provider, stem, text) => {
  expect(shortRemainingText(token(provider, stem, 1200), HABITS)).toBe(text);
  expect(shortRemainingText(token(provider, stem, 7200), HABITS)).toBeUndefined();
});

it('R18 a token that does not expire has no remaining lifetime to warn of', () => {
  const timeless = token('oauth', 'hub', Number.POSITIVE_INFINITY);
  expect(minimumRemainingOf(timeless, HABITS)).toBe(Number.POSITIVE_INFINITY);
  expect(shortRemainingText(timeless, HABITS)).toBeUndefined();
  expect(shortLifetimeText(timeless, Number.POSITIVE_INFINITY)).toBeUndefined();
});

it.each([
  [3600, 600, undefined],
  [86_400, 600, undefined],
  [
    1200,
    240,
    'a job may read orcid with only 240 s left; ask the issuer for a lifetime of 1920 s or more, or reduce SEC_CREDENTIAL_REFRESH',
  ],
])('R18 a late renewal leaves the floor of %d s: %d s', (lifetime, left, text) => {
  const late = token('oauth', 'orcid', lifetime);
  const managed = { ...late, policy: { ...DEFAULT_POLICY, margin: 960 } };
  expect(minimumRemainingOf(managed, HABITS)).toBe(left);
  expect(shortRemainingText(managed, HABITS)).toBe(text);
});

it.each([
  [
    'local',
    'scitokens',
    'the lifetime of the local tokens of scitokens is 1 s, too short for any job; raise LOCAL_CREDMON_TOKEN_LIFETIME',
  ],
  [
    'standing',
    'ce1',
    /^the lifetime of the standing token ce1 is 1 s, too short for any use: after .* only; raise CREDMON_STANDING_ce1_LIFETIME, or /,
  ],
  [
    'oauth',
    'mytok',
    /^the issuer of mytok gives tokens with a lifetime of 1 s, too short for any job: after .* only; ask the issuer for longer lifetimes$/,
  ],
])('R18 no life at all, %s', (provider, stem, text) => {
  expect(shortLifetimeText(token(provider, stem, 1), 1)).toEqual(expect.stringMatching(text));
  expect(shortLifetimeText(token(provider, stem, 7200), 7200)).toBeUndefined();
});
