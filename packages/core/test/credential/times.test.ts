// Issue and expiry of tokens, from all known forms of responses and files.
import { describe, expect, it } from 'vitest';
import {
  jwtTimes,
  jwtTimesHere,
  promisedLifetime,
  saneLifetime,
  storedTimes,
  timesInFile,
} from '../../src/credential/times.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown): string => `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`;
const TEN_YEARS = 10 * 365 * 86_400;

describe('R15 expires_in', () => {
  it.each([
    [3600, 3600],
    [1, 1],
    [3599.9, 3599],
    [TEN_YEARS - 1, TEN_YEARS - 1],
    ['3600', 3600],
    [' 3600 ', 3600],
    ['3599.5', 3599],
    [0, undefined],
    [0.5, undefined],
    [-1, undefined],
    ['0', undefined],
    ['-5', undefined],
    ['', undefined],
    ['soon', undefined],
    ['3600s', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['9'.repeat(400), undefined],
    [TEN_YEARS, TEN_YEARS],
    [TEN_YEARS + 1, TEN_YEARS],
    [631_138_518, TEN_YEARS],
    ['631138518', TEN_YEARS],
    [1e30, TEN_YEARS],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    [undefined, undefined],
    [true, undefined],
    [[3600], undefined],
    [{}, undefined],
  ])('%j gives the lifetime %j', (value, expected) => {
    expect(saneLifetime(value)).toBe(expected);
  });

  const token = jwt({ iat: 1000, exp: 4600 });
  const promised: [string, Record<string, unknown>, number | undefined, number][] = [
    ["the response's expires_in", { expires_in: 60, access_token: token }, 1000, 60],
    ['else the remaining lifetime of the JWT', { access_token: token }, 1000, 3600],
    [
      'else the remaining lifetime of a JWT made earlier',
      { expires_in: 0, access_token: token },
      2800,
      1800,
    ],
    ['else its whole lifetime when our clock is behind', { access_token: token }, 10, 3600],
    ['else its whole lifetime when our clock is far ahead', { access_token: token }, 99_999, 3600],
    [
      'else its whole lifetime without a time of issue',
      { expires_in: 'soon', access_token: token },
      undefined,
      3600,
    ],
    [
      'else the default, for less than a second',
      { access_token: jwt({ iat: 1, exp: 1.5 }) },
      1,
      1200,
    ],
    ['ten years at most', { expires_in: 631_138_518, access_token: 'opaque' }, 1000, TEN_YEARS],
    ['that of the JWT, if more is stated', { expires_in: 1e30, access_token: token }, 1000, 3600],
    ['ten years of a JWT at most', { access_token: jwt({ iat: 1000, exp: 9e8 }) }, 1000, TEN_YEARS],
    [
      'ten years from now, of a JWT made long ago',
      { access_token: jwt({ iat: 1000, exp: 9e8 }) },
      4e8,
      TEN_YEARS,
    ],
    ['the time to expires_at', { expires_at: 8200, access_token: token }, 1000, 7200],
    ['the time to expires_at as text', { expires_at: '8200.5' }, 1000, 7200],
    ['that of expires_in, not of expires_at', { expires_in: 60, expires_at: 8200 }, 1000, 60],
    ['ten years, if expires_at is later', { expires_at: 253_402_300_799 }, 1000, TEN_YEARS],
    ['the time to the exp of a JWT without iat', { access_token: jwt({ exp: 4600 }) }, 1000, 3600],
    ['else the default', { expires_in: 'soon', access_token: 'opaque' }, 1000, 1200],
    ['else the default, if expires_at has passed', { expires_at: 900 }, 1000, 1200],
    ['else the default, if expires_at has milliseconds', { expires_at: 1.8e12 }, 1000, 1200],
    ['else the default, without a time of issue', { expires_at: 8200 }, undefined, 1200],
    ['else the default, without any token', {}, 1000, 1200],
  ];
  it.each(promised)('the lifetime is %s', (_, answer, issuedAt, expected) => {
    expect(promisedLifetime(answer, 1200, issuedAt)).toBe(expected);
  });
});

describe('R15 a token of an issuer whose tokens do not expire', () => {
  const never = Number.POSITIVE_INFINITY;
  const exp = 4600;
  const cases: [string, Record<string, unknown>, number][] = [
    ['does not expire without a lifetime', { access_token: 'opaque' }, never],
    ['does not, with null and empty members', { expires_in: null, expires_at: '' }, never],
    ['does not, with zero for never', { expires_in: 0, expires_at: '0' }, never],
    ['does not, as a JWT without exp', { access_token: jwt({ iat: 1000 }) }, never],
    ['expires after its expires_in', { expires_in: 3600 }, 3600],
    ['expires at its expires_at', { expires_at: exp }, 3600],
    ['expires at the exp of its JWT', { access_token: jwt({ exp }) }, 3600],
    ['expires after ten years at most', { expires_in: 1e12 }, TEN_YEARS],
    ['expires soon if its lifetime makes no sense', { expires_in: 'soon' }, 1200],
  ];
  it.each(cases)('%s, in an answer and in a file', (_, answer, expected) => {
    expect(promisedLifetime(answer, never, 1000)).toBe(expected);
    expect(storedTimes(answer, 1000, never).expiresAt).toBe(1000 + expected);
  });

  it.each([
    ['its expires_at', { expires_at: 900 }],
    ['the exp of its JWT', { access_token: jwt({ exp: 900 }) }],
  ])('expires soon if %s has passed', (_, answer) => {
    expect(promisedLifetime(answer, never, 1000)).toBe(1200);
    expect(storedTimes(answer, 1000, never).expiresAt).toBe(900);
  });

  const stored: [string, Record<string, unknown>, number][] = [
    ['is read back', { issued_at: 1000, does_not_expire: true }, never],
    ['is not believed without our issued_at', { does_not_expire: true }, 8200],
    [
      'is not believed beside a lifetime',
      { issued_at: 1, does_not_expire: true, expires_in: 60 },
      7060,
    ],
    [
      'is not believed beside an expiry',
      { issued_at: 1000, does_not_expire: true, expires_at: 2000 },
      2000,
    ],
    [
      'is not believed of a JWT with an expiry',
      { issued_at: 1000, does_not_expire: true, access_token: jwt({ iat: 1000, exp }) },
      4600,
    ],
    ['is not believed if it is not true', { issued_at: 1000, does_not_expire: 'yes' }, 8200],
  ];
  it.each(stored)('R5 the record of that %s', (_, use, expiresAt) => {
    expect(storedTimes(use, 7000, 1200).expiresAt).toBe(expiresAt);
  });

  it('has an assumed lifetime only if nothing says it', () => {
    const assumed = (use: Record<string, unknown>): boolean =>
      timesInFile(use, 7000, never).assumed;
    expect(assumed({ access_token: 'opaque' })).toBe(true);
    expect(assumed({ expires_in: 0 })).toBe(true);
    for (const use of [
      { expires_in: 1200 },
      { expires_at: 8200 },
      { issued_at: 1000, does_not_expire: true },
      { access_token: jwt({ exp }) },
    ])
      expect(assumed(use)).toBe(false);
  });
});

describe('the times of a JWT', () => {
  it.each([
    ['are iat and exp', jwt({ iat: 1000, exp: 4600 }), { issuedAt: 1000, expiresAt: 4600 }],
    [
      'may have fractions',
      jwt({ iat: 1000.5, exp: 4600.25 }),
      { issuedAt: 1000.5, expiresAt: 4600.25 },
    ],
    ['without iat', jwt({ exp: 4600 }), undefined],
    ['without exp', jwt({ iat: 1000 }), undefined],
    ['as texts', jwt({ iat: '1000', exp: '4600' }), undefined],
    ['in the wrong order', jwt({ iat: 4600, exp: 1000 }), undefined],
    ['in milliseconds', jwt({ iat: 1.7e12, exp: 1.8e12 }), undefined],
    ['negative', jwt({ iat: -5, exp: 10 }), undefined],
    [
      'of ten years',
      jwt({ iat: 1000, exp: 1000 + TEN_YEARS }),
      { issuedAt: 1000, expiresAt: 1000 + TEN_YEARS },
    ],
    [
      'of more years are ten',
      jwt({ iat: 1000, exp: 2001 + TEN_YEARS }),
      { issuedAt: 1000, expiresAt: 1000 + TEN_YEARS },
    ],
    ['of an array', jwt([1]), undefined],
    ['of null', jwt(null), undefined],
    ['of three parts that are not JSON', 'aaaa.bbbb.cccc', undefined],
    ['of an opaque token', 'opaque', undefined],
    [
      'of an unsigned one',
      `${part({ alg: 'none' })}.${part({ iat: 1, exp: 2 })}.`,
      { issuedAt: 1, expiresAt: 2 },
    ],
    ['of four parts', `${jwt({ iat: 1, exp: 2 })}.x`, undefined],
    ['of nothing', '', undefined],
  ])('%s', (_, token, expected) => {
    expect(jwtTimes(token)).toEqual(expected);
  });

  it.each([
    ['are kept when the file is younger', 2000, { issuedAt: 1000, expiresAt: 4600 }],
    ['shift to our clock when the issuer’s is ahead', 800, { issuedAt: 800, expiresAt: 4400 }],
  ])('R5 of a stored one %s', (_, mtime, expected) => {
    expect(jwtTimesHere(jwt({ iat: 1000, exp: 4600 }), mtime)).toEqual(expected);
  });

  it.each([
    ['without iat begin with the file', { exp: 4600 }, { issuedAt: 2000, expiresAt: 4600 }],
    ['without iat have ended before the file', { exp: 900 }, { issuedAt: 899, expiresAt: 900 }],
    [
      'of more than ten years end ten years after the file',
      { iat: 1000, exp: 9e8 },
      { issuedAt: 2000, expiresAt: 2000 + TEN_YEARS },
    ],
    ['in the wrong order do not count', { iat: 4600, exp: 1000 }, undefined],
  ])('R5 of a stored one %s', (_, claims, expected) => {
    expect(jwtTimesHere(jwt(claims), 2000)).toEqual(expected);
  });

  it('R5 of a stored one with more than ten years keep their end if it is near', () => {
    const [iat, exp] = [1000, 1000 + TEN_YEARS * 2];
    expect(jwtTimesHere(jwt({ iat, exp }), exp - 500)).toEqual({
      issuedAt: exp - TEN_YEARS,
      expiresAt: exp,
    });
  });
});

describe('R5 the times of a stored token', () => {
  const token = jwt({ iat: 1000, exp: 4600 });
  const cases: [string, Record<string, unknown>, { issuedAt: number; expiresAt: number }][] = [
    [
      'the recorded ones',
      { issued_at: 5, expires_at: 10, expires_in: 99, access_token: token },
      { issuedAt: 5, expiresAt: 10 },
    ],
    [
      'expires_at minus expires_in',
      { expires_at: 5000.5, expires_in: 3600, access_token: token },
      { issuedAt: 1400.5, expiresAt: 5000.5 },
    ],
    [
      '… also if issued_at is invalid',
      { issued_at: 9999, expires_at: 5000, expires_in: '3600' },
      { issuedAt: 1400, expiresAt: 5000 },
    ],
    ['the JWT’s own', { access_token: token, expires_in: 60 }, { issuedAt: 1000, expiresAt: 4600 }],
    [
      'the JWT’s own, if the record is absurd',
      { access_token: token, issued_at: 1, expires_at: 9e10 },
      { issuedAt: 1000, expiresAt: 4600 },
    ],
    [
      'the file’s age and expires_in',
      { access_token: 'opaque', expires_in: 60 },
      { issuedAt: 7000, expiresAt: 7060 },
    ],
    [
      'the file’s age and the default',
      { access_token: 'opaque' },
      { issuedAt: 7000, expiresAt: 8200 },
    ],
    [
      '… if expires_in is absurd',
      { access_token: 'opaque', expires_in: -1 },
      { issuedAt: 7000, expiresAt: 8200 },
    ],
    [
      '… if the record has wrong types',
      { issued_at: '5', expires_at: null, access_token: 5 },
      { issuedAt: 7000, expiresAt: 8200 },
    ],
    [
      'ten years of the recorded ones',
      { issued_at: 1, expires_at: 9e10, access_token: 'opaque' },
      { issuedAt: 1, expiresAt: 1 + TEN_YEARS },
    ],
    [
      'the recorded ten years',
      { issued_at: 1000, expires_at: 1000 + TEN_YEARS, expires_in: TEN_YEARS },
      { issuedAt: 1000, expiresAt: 1000 + TEN_YEARS },
    ],
    [
      'the recorded ones as texts',
      { issued_at: '1000', expires_at: '4600.5', access_token: 'opaque' },
      { issuedAt: 1000, expiresAt: 4600.5 },
    ],
    [
      'the file’s age and ten years',
      { access_token: 'opaque', expires_in: 631_138_518 },
      { issuedAt: 7000, expiresAt: 7000 + TEN_YEARS },
    ],
    [
      '… also with expires_at',
      { access_token: 'opaque', expires_in: 631_138_518, expires_at: 631_145_518 },
      { issuedAt: 7000, expiresAt: 7000 + TEN_YEARS },
    ],
    [
      'the file’s age to expires_at',
      { access_token: 'opaque', expires_at: 9000 },
      { issuedAt: 7000, expiresAt: 9000 },
    ],
    [
      'those before expires_at, if the file is younger',
      { access_token: 'opaque', expires_at: '6000' },
      { issuedAt: 5999, expiresAt: 6000 },
    ],
    [
      'the JWT’s iat to expires_at',
      { access_token: token, expires_at: 3000 },
      { issuedAt: 1000, expiresAt: 3000 },
    ],
  ];
  it.each(cases)('are %s', (_, use, expected) => {
    expect(storedTimes(use, 7000, 1200)).toEqual(expected);
  });
});
