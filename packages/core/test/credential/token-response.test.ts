// Validation of the JSON object of a token response.
import { describe, expect, it } from 'vitest';
import type { CodedError } from '../../src/base/errors/errors.ts';
import {
  judgeTokenResponse,
  MAX_ACCESS_TOKEN_BYTES,
  scopeText,
} from '../../src/credential/token-response.ts';

describe('R14 a token response', () => {
  it('keeps everything but the refresh token', () => {
    const json = {
      access_token: 't',
      refresh_token: 'r',
      scope: 'a',
      expires_in: '7',
      other: { deep: [1] },
    };
    expect(judgeTokenResponse(json, 'mytok')).toEqual({
      accessToken: 't',
      refreshToken: 'r',
      scope: 'a',
      answer: { access_token: 't', scope: 'a', expires_in: '7', other: { deep: [1] } },
    });
  });

  it.each([
    ['the longest token', { access_token: 'x'.repeat(MAX_ACCESS_TOKEN_BYTES - 1) }, true],
    ['a token too long', { access_token: 'x'.repeat(MAX_ACCESS_TOKEN_BYTES) }, false],
    ['no token', {}, false],
    ['an empty token', { access_token: '' }, false],
    ['a token with a blank', { access_token: 'a b' }, false],
    ['a token with a NUL', { access_token: 'a\0' }, false],
    ['a token beyond ASCII', { access_token: 'tokén' }, false],
    ['a token of another type', { access_token: ['t'] }, false],
    ['a refresh token of another type', { access_token: 't', refresh_token: 1 }, false],
    ['a refresh token of null', { access_token: 't', refresh_token: null }, true],
  ])('%s', (_, json, accepted) => {
    let refused: unknown;
    try {
      judgeTokenResponse(json, 'mytok');
    } catch (error) {
      refused = (error as CodedError).code;
    }
    expect(refused).toBe(accepted ? undefined : 'ISSUER_ANSWER_INVALID');
  });

  it.each([
    [16_384, undefined],
    [16_385, 'invalid token response for mytok: refresh token longer than 16 KiB'],
  ])('R14 a refresh token of %d characters', (length, refused) => {
    const json = { access_token: 'a', refresh_token: 'r'.repeat(length) };
    let said: string | undefined;
    try {
      judgeTokenResponse(json, 'mytok');
    } catch (error) {
      said = (error as CodedError).message;
    }
    expect(said).toBe(refused);
  });

  it.each([
    ['a b', 'a b'],
    [['a', 'b'], 'a b'],
    [['a', 5], undefined],
    [5, undefined],
    [undefined, undefined],
  ])('scopes %j read %j', (scope, expected) => {
    expect(scopeText(scope)).toBe(expected);
  });
});
