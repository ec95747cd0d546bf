// Groups of WLCG tokens.
import { describe, expect, it } from 'vitest';
import { groupsOf, isInGroup, verifyWithKeys, type VerifiedToken } from '../../src/index.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW, publish } from '../testing.ts';

function token(claims: object): VerifiedToken {
  const base = {
    iss: 'https://i.test',
    aud: 'x',
    iat: 1_790_000_000,
    nbf: 1_790_000_000,
    exp: 1_790_000_600,
  };
  return verifyWithKeys(signUnchecked(EC, { ...base, ...claims }), publish(EC), {
    now: NOW,
    issuers: 'any',
  });
}

describe('groups', () => {
  it('keep their order', () => {
    expect(groupsOf(token({ 'wlcg.ver': '1.0', 'wlcg.groups': ['/vo/b', '/vo/a'] }))).toEqual([
      '/vo/b',
      '/vo/a',
    ]);
  });

  it('do not imply their parents', () => {
    const member = token({ 'wlcg.ver': '1.0', 'wlcg.groups': ['/vo/sub'] });
    expect([
      isInGroup(member, '/vo/sub'),
      isInGroup(member, '/vo'),
      isInGroup(member, '/vo/sub/x'),
    ]).toEqual([true, false, false]);
  });

  it('are empty in tokens of other profiles', () => {
    expect(groupsOf(token({ ver: 'scitoken:2.0', 'wlcg.groups': ['/vo'] }))).toEqual([]);
    expect(groupsOf(token({ 'wlcg.ver': '1.0' }))).toEqual([]);
  });

  it.each([
    ['a string', '/vo'],
    ['names without slash', ['vo']],
    ['numbers', [1]],
    ['parents', ['/vo/..']],
    ['a slash at the end', ['/vo/']],
  ])('are rejected when they are %s', (_title, groups) => {
    expect(() => groupsOf(token({ 'wlcg.ver': '1.0', 'wlcg.groups': groups }))).toThrow(
      expect.objectContaining({ code: 'TOKEN_BAD_CLAIM' }),
    );
  });
});
