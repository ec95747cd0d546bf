// Valid and invalid contents of `.top` and `.meta`; the reasons quote none of it.
import { describe, expect, it } from 'vitest';
import { parseMeta, parseObject, parseTop } from '../../src/credential/file-contents.ts';

const nested = (levels: number): string =>
  `{"refresh_token":"x","a":${'['.repeat(levels)}${']'.repeat(levels)}}`;

describe('R3 a JSON object', () => {
  it.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['CANARY', 'is not JSON'],
    ['{"refresh_token":"CANARY', 'is not JSON'],
    ['null', 'is JSON, but not an object'],
    ['[]', 'is JSON, but not an object'],
    ['5', 'is JSON, but not an object'],
    ['"CANARY"', 'is JSON, but not an object'],
    [nested(64), 'nests deeper than 64 levels'],
    [nested(100_000), 'nests deeper than 64 levels'],
  ])('%.40s is rejected', (text, reason) => {
    expect(parseObject(text)).toEqual({ ok: false, reason });
  });

  it('may nest deeper than any real one', () => {
    expect(parseObject(nested(63)).ok).toBe(true);
  });
});

describe('R3 .top', () => {
  it.each([
    [
      '{"refresh_token":"r","scopes":"a, b","more":{"x":1}}',
      { refresh_token: 'r', scopes: 'a, b', more: { x: 1 } },
    ],
    ['{"refresh_token":""}', { refresh_token: '' }],
  ])('%s is valid', (text, value) => {
    expect(parseTop(text)).toEqual({ ok: true, value });
  });

  it.each(['{}', '{"refresh_token":null}', '{"refresh_token":5}', '{"refresh_token":["CANARY"]}'])(
    '%s has no refresh token',
    (text) => {
      expect(parseTop(text)).toEqual({ ok: false, reason: 'has no "refresh_token" string' });
    },
  );

  it('is rejected when its refresh token is too long', () => {
    expect(parseTop(JSON.stringify({ refresh_token: 'r'.repeat(16_385) }))).toEqual({
      ok: false,
      reason: 'has a refresh token longer than 16 KiB',
    });
  });

  it('is rejected like any invalid JSON', () => {
    expect(parseTop('[]')).toEqual({ ok: false, reason: 'is JSON, but not an object' });
  });
});

describe('R3 .meta', () => {
  const whole = {
    client_id: 'c',
    client_secret: 's',
    token_url: 'https://x.example/',
    use_refresh_token: true,
  };
  it.each([
    ['whole', whole, whole],
    ['without a secret', { ...whole, client_secret: undefined }, { ...whole, client_secret: '' }],
    ['without the flag', { ...whole, use_refresh_token: undefined }, whole],
    [
      'with the flag off',
      { ...whole, use_refresh_token: false },
      { ...whole, use_refresh_token: false },
    ],
    ['with unknown members', { ...whole, more: 1 }, whole],
  ])('%s is valid', (_, json, value) => {
    expect(parseMeta(JSON.stringify(json))).toEqual({ ok: true, value });
  });

  it.each([
    ['no client', { ...whole, client_id: undefined }, 'has no "client_id" string'],
    ['an empty client', { ...whole, client_id: '' }, 'has no "client_id" string'],
    ['a number for a client', { ...whole, client_id: 5 }, 'has no "client_id" string'],
    ['no token URL', { ...whole, token_url: undefined }, 'has no valid "token_url"'],
    ['a number for a token URL', { ...whole, token_url: 5 }, 'has no valid "token_url"'],
    ['an invalid token URL', { ...whole, token_url: 'CANARY' }, 'has no valid "token_url"'],
    [
      'a number for a secret',
      { ...whole, client_secret: 5 },
      'has a "client_secret" that is not a string',
    ],
    ['an array', [], 'is JSON, but not an object'],
  ])('with %s is rejected', (_, json, reason) => {
    expect(parseMeta(JSON.stringify(json))).toEqual({ ok: false, reason });
  });
});
