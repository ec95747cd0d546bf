// From the text of a file to its part of a snapshot: times and decisions, never a secret.
import {
  accessTokenOf,
  digestMeta,
  digestTop,
  digestUse,
  digestUseFile,
  parseRenewal,
  plainUseTimes,
  renewalText,
} from '../../src/credential/digest.ts';
import type { RenewalState } from '../../src/credential/snapshot.ts';
import type { TokenTimes } from '../../src/credential/times.ts';
import { describe, expect, it } from 'vitest';

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

  it('is one object for equal ones that follow each other', () => {
    const valueOf = (client: string): unknown => {
      const meta = digestMeta(`{"client_id":"${client}","token_url":"https://x/"}`);
      return meta.ok && meta.value;
    };
    const first = valueOf('c');
    expect(valueOf('c')).toBe(first);
    expect(valueOf('d')).toMatchObject({ clientId: 'd' });
    expect(first).toMatchObject({ clientId: 'c' });
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

const timesOf = (text: string | Uint8Array): TokenTimes | undefined => {
  const bytes = Buffer.from(text);
  // The buffer of the reader is larger than the file.
  const buffer = Buffer.concat([bytes, Buffer.from('"}1 \n')]);
  return plainUseTimes(buffer, bytes.length);
};

/** What the full parser says. */
const fullTimes = (text: string): TokenTimes | undefined => {
  const digest = digestUseFile(text, 5000, 1200);
  return digest.ok && !digest.value.assumed && !digest.value.bare ? digest.value.times : undefined;
};

const TIMES = { issuedAt: 1000, expiresAt: 4600 };
const JSON_TEXT = '{"access_token":"at","issued_at":1000,"expires_at":4600}';

describe('R4 the times of a .use are read from its bytes', () => {
  it.each([
    JSON_TEXT,
    `${JSON_TEXT}\n`,
    '{"expires_at": 4600, "issued_at": 1000, "access_token": "a.b-c_d"}',
    '\t{ "access_token" : "at" ,\r\n"issued_at":1000,"expires_at":4600 } \n',
    '{"access_token":"a","token_type":"Bearer","expires_in":3600,"x":null,"y":true,"z":false,"n":0,"scope":"a:/ b:/","issued_at":1000,"expires_at":4600}',
  ])('of %j', (text) => {
    expect(timesOf(text)).toEqual(TIMES);
    expect(fullTimes(text)).toEqual(TIMES);
  });

  it.each([
    '',
    '{',
    '{}',
    '[]',
    'at',
    JSON_TEXT.slice(0, -1),
    `${JSON_TEXT}x`,
    `${JSON_TEXT}{}`,
    `x${JSON_TEXT}`,
    '{"access_token":"","issued_at":1000,"expires_at":4600}',
    '{"access_token":5,"issued_at":1000,"expires_at":4600}',
    '{"access_token":"a\\u0041","issued_at":1000,"expires_at":4600}',
    '{"access_token":"\u00e4","issued_at":1000,"expires_at":4600}',
    '{"access_token":"a\nb","issued_at":1000,"expires_at":4600}',
    '{"issued\\u005fat":1000,"access_token":"at","expires_at":4600}',
    '{"access_token":"at","issued_at":"1000","expires_at":4600}',
    '{"access_token":"at","issued_at":1000.5,"expires_at":4600}',
    '{"access_token":"at","issued_at":1e3,"expires_at":4600}',
    '{"access_token":"at","issued_at":-1,"expires_at":4600}',
    '{"access_token":"at","issued_at":01000,"expires_at":4600}',
    '{"access_token":"at","issued_at":0,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":1000}',
    '{"access_token":"at","issued_at":1000,"expires_at":9999999999}',
    '{"access_token":"at","issued_at":1000000000000,"expires_at":1000000003600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"stored_before_top":true}',
    '{"access_token":"at","issued_at":1000,"issued_at":2000,"expires_at":4600}',
    '{"access_token":"at","access_token":"","issued_at":1000,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,}',
    '{,"access_token":"at","issued_at":1000,"expires_at":4600}',
    '{"access_token":"at" "issued_at":1000,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":{"a":1}}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":[1]}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":tru}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":}',
    '{"access_token":"at","issued_at":1000}',
    '{"issued_at":1000,"expires_at":4600}',
  ])('%j is left to the full parser', (text) => {
    expect(timesOf(text)).toBeUndefined();
  });

  it('any damage of one byte gives the same times as the full parser, or none', () => {
    const text = '{"access_token": "a","x":true,"n":12,"issued_at":1000,"expires_at":4600}\n';
    const damages = [
      '',
      '"',
      '\\',
      '{',
      '}',
      ',',
      ':',
      '0',
      '9',
      '.',
      'e',
      '-',
      ' ',
      '\n',
      '\0',
      'u',
    ];
    const wrong: string[] = [];
    for (let at = 0; at <= text.length; at += 1)
      for (const damage of damages)
        for (const rest of [at, at + 1]) {
          const damaged = text.slice(0, at) + damage + text.slice(rest);
          const times = timesOf(damaged);
          if (times && JSON.stringify(times) !== JSON.stringify(fullTimes(damaged)))
            wrong.push(damaged);
        }
    expect(wrong).toEqual([]);
  });
});
