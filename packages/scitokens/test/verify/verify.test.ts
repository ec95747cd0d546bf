// Verification: each reason for rejection separately.
import { createHmac, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createKey,
  fixedKeys,
  issueToken,
  readKeySet,
  verify,
  verifyWithKeys,
} from '../../src/index.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, MOMENT, NOW, publish, request, RSA } from '../testing.ts';

const ISSUER = 'https://issuer.test/vo';
const KEYS = publish(EC, RSA);
const OPTIONS = { now: NOW, issuers: [ISSUER] };
const CLAIMS = {
  iss: ISSUER,
  sub: 'alice',
  scope: 'read:/a',
  iat: 1.79e9,
  nbf: 1.79e9,
  exp: 1_790_000_600,
};
const { nbf: _nbf, ...WITHOUT_NBF } = CLAIMS;
const { exp: _exp, ...WITHOUT_EXP } = CLAIMS;
const { iat: _iat, ...WITHOUT_IAT } = CLAIMS;

const code = (code: string): unknown => expect.objectContaining({ code });
const encode = (text: string): string => Buffer.from(text).toString('base64url');

describe('verify', () => {
  it('returns profile, claims and algorithm of an accepted token', async () => {
    const token = issueToken(EC, request(), MOMENT);
    const keys = fixedKeys(new Map([[ISSUER, KEYS]]));
    expect(await verify(token, { ...OPTIONS, keys })).toEqual({
      profile: 'scitoken:2.0',
      header: { alg: 'ES256', kid: 'ec', typ: 'JWT' },
      claims: expect.objectContaining({ iss: ISSUER, sub: 'alice', ver: 'scitoken:2.0' }),
      algorithm: 'ES256',
    });
  });

  it('does not use the key source for an untrusted issuer', async () => {
    const keys = { find: () => expect.unreachable() };
    const token = issueToken(EC, request({ issuer: 'https://issuer.test/vo/' }), MOMENT);
    await expect(verify(token, { ...OPTIONS, keys })).rejects.toThrow(code('TOKEN_UNKNOWN_ISSUER'));
  });

  it.each([
    ['without exp', WITHOUT_EXP, 'TOKEN_BAD_CLAIM'],
    ['without iat', WITHOUT_IAT, 'TOKEN_BAD_CLAIM'],
    ['without nbf', WITHOUT_NBF, 'TOKEN_BAD_CLAIM'],
    ['at the exact second of exp', { ...CLAIMS, exp: Math.floor(NOW) }, 'TOKEN_EXPIRED'],
    ['before nbf', { ...CLAIMS, nbf: Math.ceil(NOW) }, 'TOKEN_NOT_YET_VALID'],
    ['with an iat in the future', { ...CLAIMS, iat: Math.ceil(NOW) }, 'TOKEN_NOT_YET_VALID'],
    ['with exp as a string', { ...CLAIMS, exp: '1790000600' }, 'TOKEN_BAD_CLAIM'],
    ['with a list in exp', { ...CLAIMS, exp: [1_790_000_600] }, 'TOKEN_BAD_CLAIM'],
    ['with exp null', { ...CLAIMS, exp: null }, 'TOKEN_BAD_CLAIM'],
    ['with ver null', { ...CLAIMS, ver: null }, 'TOKEN_BAD_PROFILE'],
    ['with ver scitoken:1.0', { ...CLAIMS, ver: 'scitoken:1.0' }, 'TOKEN_BAD_PROFILE'],
    ['with wlcg.ver as a number', { ...CLAIMS, 'wlcg.ver': 1 }, 'TOKEN_BAD_PROFILE'],
    [
      'with ver 2.0 and wlcg.ver, but no audience',
      { ...CLAIMS, ver: 'scitoken:2.0', 'wlcg.ver': '1.0' },
      'TOKEN_BAD_PROFILE',
    ],
    ['with an issuer that is not a string', { ...CLAIMS, iss: [ISSUER] }, 'TOKEN_BAD_CLAIM'],
  ])('rejects a token %s', (_title, claims, expected) => {
    expect(() => verifyWithKeys(signUnchecked(EC, claims), KEYS, OPTIONS)).toThrow(code(expected));
  });

  it.each([
    [
      'a WLCG token without nbf',
      { ...WITHOUT_NBF, 'wlcg.ver': '1.0', aud: 'x' },
      'JWT',
      'wlcg:1.0',
    ],
    ['an at+jwt without nbf', WITHOUT_NBF, 'at+jwt', 'at+jwt'],
    ['an application/at+jwt without nbf', WITHOUT_NBF, 'application/at+jwt', 'at+jwt'],
    [
      'scitokens:1.0 as in scitokens-cpp',
      { ...CLAIMS, ver: 'scitokens:1.0' },
      'JWT',
      'scitoken:1.0',
    ],
    ['a token with unknown claims', { ...CLAIMS, more: 1 }, 'JWT', 'scitoken:1.0'],
    ['a fraction in exp', { ...CLAIMS, exp: 1_790_000_600.5 }, 'JWT', 'scitoken:1.0'],
    ['an exp beyond all integers', { ...CLAIMS, exp: 1e300 }, 'JWT', 'scitoken:1.0'],
  ])('accepts %s', (_title, claims, typ, profile) => {
    expect(verifyWithKeys(signUnchecked(EC, claims, typ), KEYS, OPTIONS).profile).toBe(profile);
  });

  it('allows the given leeway, and no more', () => {
    const token = signUnchecked(EC, CLAIMS);
    const at = (now: number) => () => verifyWithKeys(token, KEYS, { ...OPTIONS, now, leeway: 30 });
    expect(at(1_790_000_629.9)).not.toThrow();
    expect(at(1_790_000_630)).toThrow(code('TOKEN_EXPIRED'));
    expect(at(1_789_999_970)).not.toThrow();
    expect(at(1_789_999_969.9)).toThrow(code('TOKEN_NOT_YET_VALID'));
  });

  it('accepts only the given profiles and algorithms', () => {
    const token = signUnchecked(EC, CLAIMS);
    expect(() => verifyWithKeys(token, KEYS, { ...OPTIONS, profiles: ['wlcg:1.0'] })).toThrow(
      code('TOKEN_BAD_PROFILE'),
    );
    expect(() => verifyWithKeys(token, KEYS, { ...OPTIONS, algorithms: ['RS256'] })).toThrow(
      code('TOKEN_BAD_ALGORITHM'),
    );
  });
});

describe('the signature', () => {
  const token = signUnchecked(EC, CLAIMS);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const reheadered = (changes: object): string =>
    `${encode(JSON.stringify({ alg: 'ES256', kid: 'ec', ...changes }))}.${payload}.${signature}`;

  it.each([
    [
      'of another payload',
      `${header}.${encode(JSON.stringify({ ...CLAIMS, sub: 'bob' }))}.${signature}`,
      'TOKEN_BAD_SIGNATURE',
    ],
    ['that is missing', `${header}.${payload}.`, 'TOKEN_BAD_SIGNATURE'],
    ['of zeros', `${header}.${payload}.${'A'.repeat(86)}`, 'TOKEN_BAD_SIGNATURE'],
    ['with a byte too many', `${token}AA`, 'TOKEN_BAD_SIGNATURE'],
    ['with alg none', reheadered({ alg: 'none' }), 'TOKEN_BAD_ALGORITHM'],
    ['with alg HS256', reheadered({ alg: 'HS256' }), 'TOKEN_BAD_ALGORITHM'],
    ['with the key id of a key of another type', reheadered({ kid: 'rsa' }), 'TOKEN_BAD_ALGORITHM'],
    ['with an unknown key id', reheadered({ kid: 'x' }), 'TOKEN_UNKNOWN_KEY'],
    [
      'without a key id where two are published',
      reheadered({ kid: undefined }),
      'TOKEN_UNKNOWN_KEY',
    ],
    ['with a key id that is not a string', reheadered({ kid: 1 }), 'TOKEN_MALFORMED'],
    ['with a type that is not a string', reheadered({ typ: 1 }), 'TOKEN_MALFORMED'],
    ['with critical extensions', reheadered({ crit: [] }), 'TOKEN_MALFORMED'],
  ])('%s is rejected', (_title, forged, expected) => {
    expect(() => verifyWithKeys(forged, KEYS, OPTIONS)).toThrow(code(expected));
  });

  it('made with the public key as an HMAC secret is rejected', () => {
    const input = `${encode('{"alg":"HS256","kid":"ec"}')}.${payload}`;
    const secret = createPublicKey(EC.privateKey).export({ type: 'spki', format: 'pem' });
    const forged = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    expect(() => verifyWithKeys(forged, KEYS, OPTIONS)).toThrow(code('TOKEN_BAD_ALGORITHM'));
  });

  it('needs no key id where one key is published, for any id of that key', () => {
    const nameless = signUnchecked({ ...EC, kid: undefined }, CLAIMS);
    expect(verifyWithKeys(nameless, publish(EC), OPTIONS).claims.sub).toBe('alice');
  });

  it('of a key with too few bits is rejected', () => {
    const weak = createKey({ algorithm: 'RS256', rsaBits: 1024, kid: 'weak' });
    const token = signUnchecked(weak, CLAIMS);
    expect(() => verifyWithKeys(token, publish(weak), OPTIONS)).not.toThrow();
    expect(() =>
      verifyWithKeys(token, publish(weak), { ...OPTIONS, minimumRsaBits: 2048 }),
    ).toThrow(code('TOKEN_KEY_INVALID'));
  });
});

describe('a key set', () => {
  it.each([
    ['is a list', []],
    ['has no keys', {}],
    ['has keys that are not a list', { keys: {} }],
    ['has too many keys', { keys: Array(101).fill(null) }],
  ])('is rejected when it %s', (_title, document) => {
    expect(() => readKeySet(document)).toThrow(code('ISSUER_METADATA_INVALID'));
  });

  it('may omit the curve if the algorithm determines it, like sets of scitokens-cpp', () => {
    const [{ crv: _crv, ...curveless } = {}] = publish(EC).document['keys'] as Record<
      string,
      unknown
    >[];
    expect(readKeySet({ keys: [curveless] }).select('ec').algorithm).toBe('ES256');
  });

  it('is not affected by a damaged key beside the valid one', () => {
    const good = (KEYS.document['keys'] as unknown[])[0];
    const keys = readKeySet({
      keys: [null, 'x', { kid: 'bad', kty: 'EC', crv: 'P-256', x: 'AA', y: '' }, good],
    });
    expect(verifyWithKeys(signUnchecked(EC, CLAIMS), keys, OPTIONS).claims.sub).toBe('alice');
    expect(() => keys.select('bad')).toThrow(code('TOKEN_KEY_INVALID'));
  });
});
