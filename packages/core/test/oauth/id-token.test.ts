// The ID token of a login: what is verified, against an issuer that makes one mistake; and
// the key sets of issuers: cached, fetched again for a new key, and kept in an outage.
import { CodedError } from '../../src/base/errors/errors.ts';
import type { HttpResponse, Send } from '../../src/base/http/send.ts';
import {
  type IdTokenChecks,
  createKeySetCache,
  identityChange,
  verifyIdToken,
} from '../../src/oauth/id-token.ts';
import { jwt, outcomeOf } from './issuer.ts';
import {
  ISSUER_KEY,
  idTokenKey,
  signedIdToken,
} from '@credmon/test-fixtures/issuer/signed-id-token';
import type { JSONWebKeySet } from 'jose';
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';

const NOW = 1_800_000_000;
const ISSUER = 'https://issuer.example';
const claims = {
  iss: ISSUER,
  sub: 'alice',
  aud: 'client',
  iat: NOW,
  exp: NOW + 600,
  nonce: 'n1',
};
const keySet = (...keys: readonly object[]): JSONWebKeySet => ({
  keys: keys.map((jwk) => ({ ...jwk })),
});
const checks: IdTokenChecks = {
  provider: 'mytok',
  names: { issuer: ISSUER, aliases: [] },
  clientId: 'client',
  nonce: 'n1',
  accessToken: 'the-token',
  now: NOW,
  keys: async () => keySet(ISSUER_KEY.jwk),
};
const verify = (idToken: unknown, changes: Partial<IdTokenChecks> = {}): Promise<unknown> =>
  outcomeOf(verifyIdToken(idToken, { ...checks, ...changes }));

const halfHash = (token: string, hash = 'sha256'): string => {
  const digest = createHash(hash).update(token).digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
};
const other = idTokenKey('other');
const flipped = (token: string): string => {
  const at = token.lastIndexOf('.') + 5;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
};

describe('R27 R28 an ID token is accepted', () => {
  it.each<[string, Record<string, unknown>, Partial<IdTokenChecks>]>([
    ['C1 if it is valid', {}, {}],
    ['C2 with several audiences and azp', { aud: ['client', 'other'], azp: 'client' }, {}],
    ['with one audience in a list', { aud: ['client'] }, {}],
    ['with azp that is the client', { azp: 'client' }, {}],
    ['C35 with the hash of the access token', { at_hash: halfHash('the-token') }, {}],
    ['within the tolerance of the clocks', { iat: NOW + 50, nbf: NOW + 50, exp: NOW + 60 }, {}],
    ['just expired within the tolerance', { iat: NOW - 600, exp: NOW - 30 }, {}],
    ['without a nonce if none was sent', { nonce: undefined }, { nonce: undefined }],
    [
      'P4 of an issuer under its other name',
      { iss: 'issuer.example' },
      { names: { issuer: ISSUER, aliases: ['issuer.example'] } },
    ],
    [
      'P20 of a tenant, by the template of the metadata',
      { iss: 'https://login.example/t-1/v2.0', tid: 't-1' },
      {
        names: {
          issuer: 'https://login.example/common/v2.0',
          aliases: [],
          template: 'https://login.example/{tenantid}/v2.0',
        },
      },
    ],
  ])('%s', async (_, more, changes) => {
    const all = { ...claims, ...more };
    expect(await verify(signedIdToken(all), changes)).toEqual(JSON.parse(JSON.stringify(all)));
  });

  it('C3 without a kid, whichever of several keys has signed it', async () => {
    const token = signedIdToken(claims, ISSUER_KEY, { kid: undefined });
    const unnamed = (jwk: object): object => ({ ...jwk, kid: undefined });
    for (const keys of [
      [other.jwk, ISSUER_KEY.jwk],
      [ISSUER_KEY.jwk, other.jwk],
    ])
      expect(await verify(token, { keys: async () => keySet(...keys.map(unnamed)) })).toMatchObject(
        { sub: 'alice' },
      );
  });

  it('C61 with a new key of the issuer, after the key set was fetched again', async () => {
    const asked: boolean[] = [];
    const keys = async (renew: boolean): Promise<JSONWebKeySet> => {
      asked.push(renew);
      return renew ? keySet(other.jwk, ISSUER_KEY.jwk) : keySet(other.jwk);
    };
    expect(await verify(signedIdToken(claims), { keys })).toMatchObject({ sub: 'alice' });
    expect(asked).toEqual([false, true]);
  });
});

describe('R27 R28 an ID token is refused', () => {
  const tenant = {
    issuer: 'https://login.example/common/v2.0',
    aliases: [],
    template: 'https://login.example/{tenantid}/v2.0',
  };
  const wrong: [string, Record<string, unknown>, string, Partial<IdTokenChecks>?][] = [
    ['C5 another issuer', { iss: 'https://evil.example' }, 'ISSUER_MISMATCH'],
    ['C6 the issuer with a slash', { iss: `${ISSUER}/` }, 'ISSUER_MISMATCH'],
    ['C7 no issuer', { iss: undefined }, 'ISSUER_MISMATCH'],
    ['an issuer that is no text', { iss: [ISSUER] }, 'ISSUER_MISMATCH'],
    [
      'another tenant than the claim tid',
      { iss: 'https://login.example/t-1/v2.0', tid: 't-2' },
      'ISSUER_MISMATCH',
      { names: tenant },
    ],
    [
      'the template itself',
      { iss: 'https://login.example/{tenantid}/v2.0', tid: '{tenantid}' },
      'ISSUER_MISMATCH',
      { names: tenant },
    ],
    ['C8 another audience', { aud: 'other' }, 'ISSUER_ANSWER_INVALID'],
    ['C9 no audience', { aud: undefined }, 'ISSUER_ANSWER_INVALID'],
    ['C10 several audiences and no azp', { aud: ['client', 'o'] }, 'ISSUER_ANSWER_INVALID'],
    ['C11 azp of another client', { azp: 'other' }, 'ISSUER_ANSWER_INVALID'],
    ['C12 another nonce', { nonce: 'n2' }, 'ISSUER_ANSWER_INVALID'],
    ['C13 no nonce', { nonce: undefined }, 'ISSUER_ANSWER_INVALID'],
    ['C21 a past expiry', { exp: NOW - 600 }, 'ISSUER_ANSWER_INVALID'],
    ['C22 no expiry', { exp: undefined }, 'ISSUER_ANSWER_INVALID'],
    ['an expiry that is no number', { exp: String(NOW + 600) }, 'ISSUER_ANSWER_INVALID'],
    ['C23 no time of issue', { iat: undefined }, 'ISSUER_ANSWER_INVALID'],
    ['C24 a later start', { nbf: NOW + 600 }, 'ISSUER_ANSWER_INVALID'],
    ['C25 issued in a day', { iat: NOW + 86_400, exp: NOW + 90_000 }, 'ISSUER_ANSWER_INVALID'],
    ['C26 issued 30 days ago', { iat: NOW - 30 * 86_400 }, 'ISSUER_ANSWER_INVALID'],
    ['C27 no subject', { sub: undefined }, 'ISSUER_ANSWER_INVALID'],
    ['C28 a subject that is a number', { sub: 7 }, 'ISSUER_ANSWER_INVALID'],
    ['C29 an empty subject', { sub: '' }, 'ISSUER_ANSWER_INVALID'],
    ['a subject of 256 characters', { sub: 'x'.repeat(256) }, 'ISSUER_ANSWER_INVALID'],
    ['C35 the hash of another token', { at_hash: halfHash('other') }, 'ISSUER_ANSWER_INVALID'],
    ['a hash that is no text', { at_hash: 5 }, 'ISSUER_ANSWER_INVALID'],
  ];
  it.each(wrong)('with %s', async (_, more, code, changes = {}) => {
    expect(await verify(signedIdToken({ ...claims, ...more }), changes)).toMatchObject({ code });
  });

  const signed = signedIdToken(claims);
  const [header = '', body = ''] = signed.split('.');
  it.each<[string, unknown]>([
    ['C14 the signature of another key', signedIdToken(claims, { ...other, kid: ISSUER_KEY.kid })],
    ['C15 a changed signature', flipped(signed)],
    ['C16 an unknown kid', signedIdToken(claims, other)],
    ['C18 alg none', jwt(claims, 'none')],
    ['C19 C20 a symmetric signature', jwt(claims, 'HS256')],
    ['no signature', `${header}.${body}.`],
    ['C30 an unknown critical header', signedIdToken(claims, ISSUER_KEY, { crit: ['x'], x: 1 })],
    ['C31 encryption', 'a.b.c.d.e'],
    ['C32 rubbish', 'rubbish'],
    ['three parts of rubbish', 'a.b.c'],
    ['C33 an object', { sub: 'alice' }],
    ['claims that are a list', signedIdToken([] as never)],
  ])('with %s', async (_, idToken) => {
    const error = await verify(idToken);
    expect(error).toMatchObject({ code: 'ISSUER_ANSWER_INVALID' });
    expect(String(error)).not.toContain(body);
  });

  it('if the key set cannot be fetched, with the error of the request', async () => {
    const down = Object.assign(new Error('down'), {});
    await expect(
      verifyIdToken(signed, { ...checks, keys: () => Promise.reject(down) }),
    ).rejects.toMatchObject({ code: 'ISSUER_ANSWER_INVALID' });
  });
});

describe('R28 the ID token of a refresh', () => {
  const names = { issuer: ISSUER, aliases: ['issuer.example'] };
  it.each<[string, unknown, string | undefined, string | undefined]>([
    ['the same issuer and user', jwt(claims), 'alice', undefined],
    [
      'the issuer under its other name',
      jwt({ ...claims, iss: 'issuer.example' }),
      'alice',
      undefined,
    ],
    ['another issuer', jwt({ ...claims, iss: 'https://evil.example' }), 'alice', 'another issuer'],
    ['another user', jwt({ ...claims, sub: 'bob' }), 'alice', 'another user than the login'],
    ['a user who was not known at the login', jwt(claims), undefined, undefined],
    ['rubbish', 'rubbish', 'alice', undefined],
    ['nothing', undefined, 'alice', undefined],
  ])('with %s', (_, idToken, subject, expected) => {
    const text = expected && `the ID token of the refresh names ${expected}`;
    expect(identityChange(idToken, names, subject)).toBe(text);
  });
});

const URL_OF_KEYS = 'https://issuer.example/jwks';
let answers: (HttpResponse | CodedError)[] = [];
let asked = 0;
afterEach(() => {
  [answers, asked] = [[], 0];
});

const answer = (body: unknown, status = 200): HttpResponse => ({
  status,
  headers: {},
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const keys = (...names: readonly string[]): HttpResponse =>
  answer({ keys: names.map((kid) => ({ kid, kty: 'EC' })) });
const send: Send = async () => {
  asked += 1;
  const next = answers.shift();
  if (next instanceof Error) throw next;
  return next ?? answer('', 404);
};
const down = new CodedError('ISSUER_UNREACHABLE', 'down');
const names = ({ keys: found }: { keys: readonly { kid?: string }[] }): unknown =>
  found.map(({ kid }) => kid);

describe('R28 the key set of an issuer', () => {
  it('is fetched once for concurrent logins, and again after an hour', async () => {
    answers = [keys('a'), keys('b')];
    const cache = createKeySetCache({ allowLoopbackHttp: false });
    const found = await Promise.all([1, 2, 3].map(() => cache.find(send, URL_OF_KEYS, NOW)));
    expect(found.map(names)).toEqual([['a'], ['a'], ['a']]);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 3599))).toEqual(['a']);
    expect(asked).toBe(1);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 3600))).toEqual(['b']);
  });

  it('is fetched again for an unknown key, at most once in a minute', async () => {
    answers = [keys('a'), keys('a', 'b'), keys('c')];
    const cache = createKeySetCache({ allowLoopbackHttp: false });
    await cache.find(send, URL_OF_KEYS, NOW);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 59, true))).toEqual(['a']);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 60, true))).toEqual(['a', 'b']);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 61, true))).toEqual(['a', 'b']);
    expect(asked).toBe(2);
  });

  it('is kept while the issuer does not answer, and asked for again after a minute', async () => {
    answers = [keys('a'), down, keys('b')];
    const cache = createKeySetCache({ allowLoopbackHttp: false });
    await cache.find(send, URL_OF_KEYS, NOW);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 4000))).toEqual(['a']);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 4059))).toEqual(['a']);
    expect(names(await cache.find(send, URL_OF_KEYS, NOW + 4060))).toEqual(['b']);
  });

  it.each<[string, HttpResponse | CodedError, string]>([
    ['no answer', down, 'ISSUER_UNREACHABLE'],
    ['status 500', answer('', 500), 'ISSUER_UNREACHABLE'],
    ['status 429', answer('', 429), 'ISSUER_BUSY'],
    ['status 404', answer({ keys: [] }, 404), 'ISSUER_METADATA_INVALID'],
    ['a redirect', answer('', 302), 'ISSUER_METADATA_INVALID'],
    ['HTML', answer('<html>'), 'ISSUER_METADATA_INVALID'],
    ['no list of keys', answer({ keys: {} }), 'ISSUER_METADATA_INVALID'],
  ])('%s is an error if there are no old keys', async (_, given, code) => {
    answers = [given];
    const cache = createKeySetCache({ allowLoopbackHttp: false });
    expect(await outcomeOf(cache.find(send, URL_OF_KEYS, NOW))).toMatchObject({ code });
  });

  it('C62 is cut after a hundred keys', async () => {
    answers = [keys(...Array.from({ length: 500 }, (_, index) => String(index)))];
    const cache = createKeySetCache({ allowLoopbackHttp: false });
    expect((await cache.find(send, URL_OF_KEYS, NOW)).keys).toHaveLength(100);
  });

  it('R26 is never fetched over plain http', async () => {
    const cache = createKeySetCache({ allowLoopbackHttp: true });
    const found = cache.find(send, 'http://issuer.example/jwks', NOW);
    expect(await outcomeOf(found)).toMatchObject({ code: 'ENDPOINT_REFUSED' });
    expect(asked).toBe(0);
  });
});
