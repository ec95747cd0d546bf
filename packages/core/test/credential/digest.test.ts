// From the text of a file to its part of a snapshot: times and decisions, never a secret.
import { describe, expect, it } from 'vitest';
import {
  accessTokenOf,
  digestMeta,
  digestTop,
  digestUse,
  parseRenewal,
  renewalText,
} from '../../src/credential/digest.ts';
import type { RenewalState } from '../../src/credential/snapshot.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ alg: 'ES256' })}.${part({ iat: 1000, exp: 4600 })}.c2ln`;

describe('R3 .top', () => {
  it.each([
    ['{"refresh_token":"CANARY"}', { opaque: false, refreshToken: 'present' }],
    ['{"refresh_token":""}', { opaque: false, refreshToken: 'empty' }],
    ['{"refresh_token":5}', { opaque: false, refreshToken: 'absent' }],
    ['{"vault_token":"CANARY"}', { opaque: false, refreshToken: 'absent' }],
    ['user@foo', { opaque: true, refreshToken: 'absent' }],
    ['', { opaque: true, refreshToken: 'absent' }],
    ['[]', { opaque: true, refreshToken: 'absent' }],
  ])('%j', (text, value) => {
    expect(digestTop(text)).toEqual({ ok: true, value });
  });
});

it('R3 a .top with a refresh token that is too long is broken', () => {
  const text = (length: number): string => JSON.stringify({ refresh_token: 'r'.repeat(length) });
  expect(digestTop(text(16_384)).ok).toBe(true);
  expect(digestTop(text(16_385))).toEqual({
    ok: false,
    reason: 'has a refresh token longer than 16 KiB',
  });
});

describe('R3 .use', () => {
  it.each([
    [
      'recorded times',
      '{"access_token":"x","issued_at":5,"expires_at":9}',
      { issuedAt: 5, expiresAt: 9 },
    ],
    ['a bare JWT', `${jwt}\n`, { issuedAt: 1000, expiresAt: 4600 }],
    ['a bare opaque token', 'hvs.CAESI-x_y/+=~\n', { issuedAt: 7000, expiresAt: 8200 }],
  ])('%s', (_, text, value) => {
    expect(digestUse(text, 7000, 1200)).toEqual({ ok: true, value });
  });

  it.each([
    ['', 'is empty and not a bare token'],
    ['\n\n', 'is empty and not a bare token'],
    ['{}', 'has no "access_token" string'],
    ['{"access_token":""}', 'has no "access_token" string'],
    ['{"access_token":5}', 'has no "access_token" string'],
    ['[]', 'is JSON, but not an object'],
    ['null', 'is JSON, but not an object'],
    ['5', 'is JSON, but not an object'],
    ['true', 'is JSON, but not an object'],
    ['"CANARY"', 'is JSON, but not an object'],
    ['{"access_token":"CANARY', 'is not JSON and not a bare token'],
    ['two words', 'is not JSON and not a bare token'],
    ['two\nlines', 'is not JSON and not a bare token'],
    ['\0\0\0', 'is not JSON and not a bare token'],
    ['<html>CANARY</html> <p>', 'is not JSON and not a bare token'],
  ])('%j is broken', (text, reason) => {
    expect(digestUse(text, 7000, 1200)).toEqual({ ok: false, reason });
  });
});

describe('R3 the access token in .use', () => {
  it.each([
    ['{"access_token":"at"}', 'at'],
    ['at-_.~+/=\n', 'at-_.~+/='],
    [jwt, jwt],
    ['{"access_token":""}', undefined],
    ['{"refresh_token":"CANARY"}', undefined],
    ['null', undefined],
    ['two words', undefined],
    ['', undefined],
  ])('of %j is %j', (text, token) => {
    expect(accessTokenOf(text)).toBe(token);
  });
});

describe('.meta', () => {
  it('is kept without its secret', () => {
    const text =
      '{"client_id":"c","client_secret":"CANARY","token_url":"https://x/","use_refresh_token":false}';
    expect(digestMeta(text)).toEqual({
      ok: true,
      value: { clientId: 'c', tokenUrl: 'https://x/', useRefreshToken: false },
    });
  });

  it('R3 gives the reason of a rejection', () => {
    expect(digestMeta('')).toEqual({ ok: false, reason: 'is empty' });
  });
});

describe('R7 the renewal state', () => {
  const state: RenewalState = {
    attempts: 3,
    last_attempt: 1000,
    not_before: 1040,
    stopped: false,
    code: 'ISSUER_BUSY',
    message: 'the issuer of mytok answered HTTP status 429',
    basis: 'b',
  };

  it('is read back as written, without unknown members', () => {
    expect(parseRenewal(renewalText(state))).toEqual(state);
    expect(parseRenewal(JSON.stringify({ ...state, more: 1 }))).toEqual(state);
    expect(parseRenewal(renewalText({ ...state, outage: true }))).toEqual({
      ...state,
      outage: true,
    });
    expect(parseRenewal(JSON.stringify({ ...state, outage: 'yes' }))).toEqual(state);
  });

  const odd: [string, string][] = [
    ['nothing', ''],
    ['half of it', renewalText(state).slice(0, 40)],
    ['an array', '[]'],
    ...Object.keys(state).map(
      (key): [string, string] =>
        [`no ${key}`, JSON.stringify({ ...state, [key]: undefined })] as const,
    ),
    ...Object.keys(state).map(
      (key): [string, string] =>
        [`an object for ${key}`, JSON.stringify({ ...state, [key]: {} })] as const,
    ),
    ['endless attempts', JSON.stringify(state).replace('"attempts":3', '"attempts":1e999')],
    ['an unknown code', JSON.stringify({ ...state, code: 'NONE' })],
    ['a code from the prototype', JSON.stringify({ ...state, code: 'constructor' })],
  ];
  it.each(odd)('%s counts as no state', (_, text) => {
    expect(parseRenewal(text)).toBeUndefined();
  });
});
