// Times in a token: every finite JSON number of seconds, and nothing else.
import { describe, expect, it } from 'vitest';
import { verifyWithKeys } from '../../src/index.ts';
import { readCompact } from '../../src/token/compact.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW, publish } from '../testing.ts';

const tokenOf = (json: string): string =>
  ['{"alg":"ES256"}', json, 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

describe('the time exp of a token', () => {
  it.each([
    ['{"exp":1}', 1],
    ['{"exp":-1}', -1],
    ['{"exp":4.1e9}', 4_100_000_000],
    ['{"exp":1.0}', 1],
    ['{"exp":1E3}', 1000],
    ['{"exp":4102444800.25}', 4_102_444_800.25],
    ['{"exp":1e300}', 1e300],
    ['{"exp":9007199254740993}', 9_007_199_254_740_992],
    ['{"a":{"exp":"x"},"exp":1.5}', 1.5],
    ['{"exp":1,"exp":1.5}', 1.5],
    ['{"e\\u0078p":1.5}', 1.5],
    ['{ "exp" : 2.5 , "b" : 1 }', 2.5],
  ])('in %s is %d', (json, exp) => {
    expect(readCompact(tokenOf(json)).claims['exp']).toBe(exp);
  });

  it.each(['"4102444800"', 'true', 'null', '1e999', '-1e999', '[1]', '{}'])(
    'is rejected as %s',
    (value) => {
      expect(() => readCompact(tokenOf(`{"exp":${value}}`))).toThrow(
        expect.objectContaining({ code: 'TOKEN_BAD_CLAIM' }),
      );
    },
  );
});

describe('a token with fractions of seconds', () => {
  const times = { iat: NOW - 0.25, nbf: NOW - 0.25, exp: NOW + 0.5 };
  const verified = (changes: object, now: number): unknown =>
    verifyWithKeys(
      signUnchecked(EC, { iss: 'https://issuer.test/vo', scope: '', ...times, ...changes }),
      publish(EC),
      { now, issuers: 'any' },
    ).claims;

  it('is accepted from nbf until exp, and its times stay as they are', () => {
    expect(verified({}, NOW)).toMatchObject(times);
    expect(verified({}, NOW + 0.25)).toMatchObject(times);
  });

  it.each([
    ['exp', {}, NOW + 0.5, 'TOKEN_EXPIRED'],
    ['nbf', { iat: NOW - 1 }, NOW - 0.5, 'TOKEN_NOT_YET_VALID'],
    ['iat', { nbf: NOW - 1 }, NOW - 0.5, 'TOKEN_NOT_YET_VALID'],
  ])('is rejected by a fraction of %s', (_claim, changes, now, code) => {
    expect(() => verified(changes, now)).toThrow(expect.objectContaining({ code }));
  });
});
