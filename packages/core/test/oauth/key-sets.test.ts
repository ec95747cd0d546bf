// The key sets of issuers: cached, fetched again for a new key, and kept in an outage.
import { afterEach, describe, expect, it } from 'vitest';
import { createKeySetCache } from '../../src/oauth/key-sets.ts';
import type { HttpResponse, Send } from '../../src/base/http/send.ts';
import { CodedError } from '../../src/base/errors/errors.ts';
import { outcomeOf } from './issuer.ts';

const URL_OF_KEYS = 'https://issuer.example/jwks';
const NOW = 1_800_000_000;
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
