// Issued tokens: their contents, rejected requests, and acceptance by an independent
// implementation.
import { compactVerify } from 'jose';
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createKey,
  issueToken,
  signClaims,
  verifyWithKeys,
  type TokenRequest,
} from '../../src/index.ts';
import { readCompact } from '../../src/token/compact.ts';
import { EC, MOMENT, NOW, publish, request, RSA } from '../testing.ts';

const SECONDS = Math.floor(NOW);
const COMMON = {
  iss: 'https://issuer.test/vo',
  sub: 'alice',
  aud: 'https://storage.test',
  scope: 'read:/home/alice',
  iat: SECONDS,
  nbf: SECONDS,
  exp: SECONDS + 600,
  jti: '00010203-0405-4607-8809-0a0b0c0d0e0f',
};

describe('an issued token', () => {
  it.each<[string, Partial<TokenRequest>, object, object]>([
    ['scitoken:2.0 has ver and aud', {}, { ...COMMON, ver: 'scitoken:2.0' }, { typ: 'JWT' }],
    ['scitoken:1.0 has no ver', { profile: 'scitoken:1.0' }, COMMON, { typ: 'JWT' }],
    [
      'wlcg:1.0 has wlcg.ver, and groups on request',
      {
        profile: 'wlcg:1.0',
        scope: ['storage.read:/a', 'compute.read'],
        claims: { 'wlcg.groups': ['/vo'] },
      },
      {
        ...COMMON,
        scope: 'storage.read:/a compute.read',
        'wlcg.ver': '1.0',
        'wlcg.groups': ['/vo'],
      },
      { typ: 'JWT' },
    ],
    [
      'at+jwt has its own type',
      { profile: 'at+jwt', claims: { client_id: 'c' } },
      { ...COMMON, client_id: 'c' },
      { typ: 'at+jwt' },
    ],
    [
      'a list of audiences is kept as a list, and a given jti is kept',
      { audience: ['a'], claims: { jti: 'mine' } },
      { ...COMMON, ver: 'scitoken:2.0', aud: ['a'], jti: 'mine' },
      { typ: 'JWT' },
    ],
  ])('%s', (_title, changes, claims, header) => {
    const token = readCompact(issueToken(EC, request(changes), MOMENT));
    expect(token.claims).toEqual(claims);
    expect(token.header).toEqual({ alg: 'ES256', kid: 'ec', ...header });
  });

  it.each([
    ['ES256', EC],
    ['RS256', RSA],
    ['ES384', createKey({ algorithm: 'ES384' })],
    ['ES512', createKey({ algorithm: 'ES512' })],
    ['RS384', { ...RSA, algorithm: 'RS384' as const }],
    ['RS512', { ...RSA, algorithm: 'RS512' as const }],
  ] as const)('signed with %s is accepted by jose and by verify', async (algorithm, key) => {
    const token = issueToken(key, request(), MOMENT);
    const { protectedHeader } = await compactVerify(token, createPublicKey(key.privateKey));
    expect(protectedHeader.alg).toBe(algorithm);
    const options = { now: NOW, issuers: ['https://issuer.test/vo'], algorithms: [algorithm] };
    expect(verifyWithKeys(token, publish(key), options).algorithm).toBe(algorithm);
  });

  it('has no kid when its key has none', () => {
    const token = issueToken({ ...EC, kid: undefined }, request(), MOMENT);
    expect(readCompact(token).header).toEqual({ alg: 'ES256', typ: 'JWT' });
  });
});

describe('a request is rejected', () => {
  it.each<[string, Partial<TokenRequest>, string]>([
    ['with an ambiguous scope', { scope: 'read:/ok read:/a/..' }, 'TOKEN_BAD_SCOPE'],
    ['with a list whose item contains a blank', { scope: ['read:/a write:/b'] }, 'TOKEN_BAD_SCOPE'],
    ['without an audience for scitoken:2.0', { audience: [] }, 'TOKEN_BAD_PROFILE'],
    [
      'without an audience for wlcg:1.0',
      { profile: 'wlcg:1.0', audience: '' },
      'TOKEN_BAD_PROFILE',
    ],
    [
      'with other claims but no version',
      { profile: 'scitoken:1.0', claims: { vo: 'x' } },
      'TOKEN_BAD_PROFILE',
    ],
    ['for at+jwt without client_id', { profile: 'at+jwt' }, 'TOKEN_BAD_PROFILE'],
    ['with an empty audience in a list', { audience: ['a', ''] }, 'TOKEN_BAD_CLAIM'],
    [
      'with an empty audience for scitoken:1.0',
      { profile: 'scitoken:1.0', audience: '' },
      'TOKEN_BAD_CLAIM',
    ],
    ['without a subject', { subject: '' }, 'TOKEN_BAD_CLAIM'],
    ['without an issuer', { issuer: '' }, 'TOKEN_BAD_CLAIM'],
    ['with a lifetime of zero', { lifetime: 0 }, 'TOKEN_BAD_CLAIM'],
    ['with a lifetime in milliseconds', { lifetime: 86_400_000 }, 'TOKEN_BAD_CLAIM'],
    ['with a fractional lifetime', { lifetime: 1.5 }, 'TOKEN_BAD_CLAIM'],
    [
      'when an additional claim would replace one of its own',
      { claims: { exp: 1 } },
      'TOKEN_BAD_CLAIM',
    ],
  ])('%s', (_title, changes, code) => {
    expect(() => issueToken(EC, request(changes), MOMENT)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('for a WLCG token when the key has no key id', () => {
    expect(() =>
      issueToken({ ...EC, kid: undefined }, request({ profile: 'wlcg:1.0' }), MOMENT),
    ).toThrow(expect.objectContaining({ code: 'TOKEN_KEY_UNREADY' }));
  });
});

describe('claims of any shape', () => {
  it('are signed unchanged', () => {
    const token = signClaims(EC, { scope: 'read:/a', anything: [1] });
    expect(readCompact(token)).toMatchObject({ claims: { scope: 'read:/a', anything: [1] } });
  });

  it.each([
    ['an ambiguous scope', { scope: 'read:/a read:/b/../c' }, 'TOKEN_BAD_SCOPE'],
    ['an invalid escape in a scope', { scope: 'read:/a write:/%q1' }, 'TOKEN_BAD_SCOPE'],
    ['an empty audience', { aud: '' }, 'TOKEN_BAD_CLAIM'],
    ['an empty audience in a list', { aud: ['a', ''] }, 'TOKEN_BAD_CLAIM'],
    ['a fraction of a second', { exp: 1.5 }, 'TOKEN_BAD_CLAIM'],
    ['a time as a text', { nbf: '1' }, 'TOKEN_BAD_CLAIM'],
    ['a version that verifiers reject', { ver: 'scitoken:1.0' }, 'TOKEN_BAD_PROFILE'],
  ])('are rejected with %s', (_title, claims, code) => {
    expect(() => signClaims(EC, claims)).toThrow(expect.objectContaining({ code }));
  });
});
