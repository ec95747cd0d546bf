// Authorization: audiences, issuers, claim types, and scopes of both profiles.
import { describe, expect, it } from 'vitest';
import {
  enforce,
  issueToken,
  verifyWithKeys,
  type TokenRequest,
  type VerifiedToken,
} from '../../src/index.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, MOMENT, NOW, publish, request } from '../testing.ts';

const OPTIONS = { now: NOW, issuers: 'any' } as const;
const HERE = { audience: 'https://storage.test' };
const BASE = {
  iss: 'https://issuer.test/vo',
  iat: 1_790_000_000,
  nbf: 1_790_000_000,
  exp: 1_790_000_600,
  scope: 'read:/a',
};

const issued = (changes: Partial<TokenRequest>): VerifiedToken =>
  verifyWithKeys(issueToken(EC, request(changes), MOMENT), publish(EC), OPTIONS);
const signed = (claims: object): VerifiedToken =>
  verifyWithKeys(signUnchecked(EC, { ...BASE, ...claims }), publish(EC), OPTIONS);
const code = (code: string): unknown => expect.objectContaining({ code });

describe('a token', () => {
  it.each([
    ['read', '/home/alice', true],
    ['read', '/home/alice/deep/file', true],
    ['read', '/home/alice/', true],
    ['read', '/home/bob/../alice/f', true],
    ['read', '/home/alicebob', false],
    ['read', '/home', false],
    ['read', '/', false],
    ['read', '/home/alice/../bob', false],
    ['read', '/home/alice/%2e%2e/bob', false],
    ['read', '/home/alice/a%2fb', false],
    ['read', '/home/alice/\0', false],
    ['write', '/home/alice', false],
    ['READ', '/home/alice', false],
  ])('for read:/home/alice permits %s on %j: %s', (authz, path, allowed) => {
    expect(enforce(issued({}), HERE).test(authz, path)).toBe(allowed);
  });

  it.each([
    ['write:/scratch/%q1 read:/data', '/data/f'],
    ['write:/scratch/50% read:/data', '/data/f'],
    ['write:/x%4 read:/data', '/data/f'],
    ['write:/scratch\\tmp read:/data', '/data/f'],
    ['read:/data write:/scratch/%q1', '/data/f'],
    ['read:/data write:/scratch\\tmp', '/data/f'],
    ['read:/data read:/a/%2e/b', '/data/f'],
    ['read:/data read:/a%2562', '/data/f'],
    ['read:/data read:/caf%E9', '/data/f'],
    ['read:/data read:/a%00', '/data/f'],
    ['read:/data/100%', '/data/100%'],
    ['queue:%zz read:/data', '/data/f'],
  ])('with the scopes %j is refused as a whole, asked for %j', (scope, path) => {
    const token = signed({ aud: HERE.audience, scope });
    expect(() => enforce(token, HERE).test('read', path)).toThrow(code('TOKEN_BAD_SCOPE'));
  });

  it.each([
    ['read:/home/%62ob', '/home/bob/x', true],
    ['read:/home/%62ob', '/home/%62ob/x', false],
    ['read:/run%202/out', '/run 2/out', true],
    ['read:/run%202/out', '/run%202/out', false],
    ['read:/caf%C3%A9', '/café/x', true],
    ['read:/caf%C3%A9', '/caf%C3%A9/x', false],
    ['read:/café', '/caf%C3%A9/x', false],
    ['read:/%7Ebob', '/~bob/x', true],
    ['read:/home', '/home/%62ob', true],
    ['read:/home', '/home/50%', true],
    ['read:/home', '/home/a%2fb', false],
    ['read:/home', '/home/%2e%2e/x', false],
    ['read:/home', '/home/a%2562', false],
  ])('for %s permits read on %j: %s', (scope, path, allowed) => {
    const token = signed({ aud: HERE.audience, scope });
    expect(enforce(token, HERE).test('read', path)).toBe(allowed);
  });

  it.each([
    ['read:/data', 'an empty authorization', '', '/data'],
    [':/data', 'an empty authorization', '', '/data'],
  ])('for %s never permits %s', (scope, _title, authz, path) => {
    expect(enforce(signed({ aud: HERE.audience, scope }), HERE).test(authz, path)).toBe(false);
  });

  it.each([
    ['its audience is empty', { aud: '' }, { audience: [''] }],
    ['its audience is empty and the service has one', { aud: '' }, { audience: ['', 'x'] }],
    ['it has an empty audience in a list', { aud: ['', 'y'] }, { audience: '' }],
    ['it has version 2 and an empty audience', { aud: '', ver: 'scitoken:2.0' }, { audience: '' }],
    ['its audience is empty and the service has none', { aud: '' }, { audience: [] }],
  ])('is rejected when %s', (_title, claims, options) => {
    expect(() => enforce(signed(claims), options)).toThrow(code('TOKEN_WRONG_AUDIENCE'));
  });

  it('of the WLCG profile is translated to SciTokens names', () => {
    const scope =
      'storage.read:/a storage.create:/b storage.modify:/c storage.stage:/d compute.read compute.modify compute.create compute.cancel';
    expect(enforce(issued({ profile: 'wlcg:1.0', scope }), HERE).acls()).toEqual([
      { authz: 'read', path: '/a' },
      { authz: 'write', path: '/b' },
      { authz: 'create', path: '/b' },
      { authz: 'write', path: '/c' },
      { authz: 'modify', path: '/c' },
      { authz: 'storage.stage', path: '/d' },
      { authz: 'condor', path: '/READ' },
      { authz: 'compute.modify', path: '/' },
      { authz: 'compute.create', path: '/' },
      { authz: 'compute.cancel', path: '/' },
      { authz: 'condor', path: '/WRITE' },
    ]);
  });

  it('that is not a WLCG token keeps its names', () => {
    expect(enforce(issued({ scope: 'storage.read:/a' }), HERE).acls()).toEqual([
      { authz: 'storage.read', path: '/a' },
    ]);
  });

  it.each([
    [
      'one of its scopes has a `..` segment',
      { aud: HERE.audience, scope: 'read:/a read:/b/..' },
      'TOKEN_BAD_SCOPE',
    ],
    [
      'one of its scopes is encoded',
      { aud: HERE.audience, scope: 'x:/%2f read:/a' },
      'TOKEN_BAD_SCOPE',
    ],
    ['its scope is a list', { aud: HERE.audience, scope: ['read:/a'] }, 'TOKEN_BAD_CLAIM'],
    ['its subject is a number', { aud: HERE.audience, sub: 1 }, 'TOKEN_BAD_CLAIM'],
    ['its id is a number', { aud: HERE.audience, jti: 1 }, 'TOKEN_BAD_CLAIM'],
    ['its audience contains a number', { aud: [HERE.audience, 1] }, 'TOKEN_BAD_CLAIM'],
    ['it has unknown claims and no version', { aud: HERE.audience, vo: 'x' }, 'TOKEN_BAD_PROFILE'],
    ['it has no audience', {}, 'TOKEN_WRONG_AUDIENCE'],
    ['it has an empty list of audiences', { aud: [] }, 'TOKEN_WRONG_AUDIENCE'],
    ['its audience differs in a slash', { aud: `${HERE.audience}/` }, 'TOKEN_WRONG_AUDIENCE'],
    ['it has the audience ANY without version 2', { aud: 'ANY' }, 'TOKEN_WRONG_AUDIENCE'],
    [
      "it has the other profile's audience for every service",
      { aud: 'ANY', 'wlcg.ver': '1.0' },
      'TOKEN_WRONG_AUDIENCE',
    ],
  ])('is rejected when %s', (_title, claims, expected) => {
    expect(() => enforce(signed(claims), HERE)).toThrow(code(expected));
  });

  it('for every service is accepted everywhere, but a service cannot have that audience', () => {
    const everybody = signed({ aud: 'ANY', ver: 'scitoken:2.0' });
    expect(enforce(everybody, HERE).test('read', '/a')).toBe(true);
    expect(
      enforce(
        signed({ aud: ['x', 'https://wlcg.cern.ch/jwt/v1/any'], 'wlcg.ver': '1.0' }),
        HERE,
      ).acls(),
    ).toHaveLength(1);
    expect(() => enforce(signed({ aud: 'ANY' }), { audience: 'ANY' })).toThrow(
      code('TOKEN_WRONG_AUDIENCE'),
    );
  });

  it('without audience is accepted only by a service without audience', () => {
    expect(enforce(signed({}), { audience: [] }).test('read', '/a/b')).toBe(true);
    expect(() => enforce(signed({ aud: 'x' }), { audience: [] })).toThrow(
      code('TOKEN_WRONG_AUDIENCE'),
    );
  });

  it('of an untrusted issuer is rejected', () => {
    expect(() => enforce(issued({}), { ...HERE, issuers: ['https://other.test'] })).toThrow(
      code('TOKEN_UNKNOWN_ISSUER'),
    );
  });
});
