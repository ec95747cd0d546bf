// The portal as a relying party of a hostile issuer: one mistake in each row. The rows of
// the ID token (C1 to C35) are in discovery.test.ts and in core's id-token.test.ts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { signedIdToken } from '@credmon/test-fixtures/issuer/signed-id-token';
import { afterEach, describe, expect, it } from 'vitest';
import type { Browser, Page } from './support/browser.ts';
import { ad, json, KEY, providerWith, startPortal, tokens, type Portal } from './support/portal.ts';

const ISSUER = 'https://issuer.example';
/** A second request, with a return URL of its own. */
const OTHER = ad({ Provider: 'other', ReturnUrl: 'https://ap.example/return/other' });
let portal: Portal;
afterEach(() => portal.close());

/** A browser with an open list of two tokens; the issuer of the first is configured. */
async function opened(issuer?: string): Promise<Browser> {
  portal = await startPortal({
    providers: new Map([['MYTOK', providerWith({ issuer: issuer ?? ISSUER })]]),
  });
  portal.writeKey([ad(), OTHER].join('\n'));
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

const stored = (): boolean => existsSync(join(portal.credentials, 'alice', 'mytok.use'));
const stateOf = ({ location }: Page): string => new URL(location).searchParams.get('state') ?? '';
const back = (query: string): string => `/return/mytok?${query}`;

describe('R24 R26 the callback is refused, and no request is sent', () => {
  it.each<[string, (state: string) => string, number]>([
    ['C36 with another iss', (s) => `code=c&state=${s}&iss=https://evil.example`, 403],
    [
      'C37 with an error and another iss',
      (s) => `error=x&state=${s}&iss=https://evil.example`,
      403,
    ],
    ['C42 with another state', () => 'code=c&state=other', 410],
    ['C43 without a state', () => 'code=c', 400],
    ['C44 with an empty state', () => 'code=c&state=', 400],
    ['C45 with two states', (s) => `code=c&state=${s}&state=${s}`, 400],
    ['C50 without a code', (s) => `state=${s}`, 403],
    ['C51 with a code and an error', (s) => `code=c&error=access_denied&state=${s}`, 403],
    ['C52 with an ID token', (s) => `code=c&id_token=a.b.c&state=${s}`, 403],
    ['C53 with a signed response', (s) => `response=a.b.c&state=${s}`, 403],
    ['C54 with everything in the fragment', () => '', 400],
  ])('%s', async (_, query, status) => {
    const browser = await opened();
    const login = await browser.login('mytok');
    const page = await browser.get(back(query(stateOf(login))));
    expect([page.status, portal.sent, stored()]).toEqual([status, [], false]);
  });

  it('C38 with the iss of another origin, if no issuer is configured', async () => {
    const browser = await opened();
    const state = stateOf(await browser.login('other'));
    const page = await browser.get(`/return/other?code=c&state=${state}&iss=https://evil.example`);
    expect([page.status, portal.sent]).toEqual([403, []]);
  });

  it('C46 with the state of another browser', async () => {
    const browser = await opened();
    const state = stateOf(await browser.login('mytok'));
    const thief = browser.another();
    expect((await thief.get(back(`code=c&state=${state}`))).status).toBe(410);
    expect(portal.sent).toEqual([]);
  });

  it('C55 as a posted form', async () => {
    const browser = await opened();
    const state = stateOf(await browser.login('mytok'));
    const page = await browser.post('/return/mytok', { code: 'c', state });
    expect([page.status >= 400, portal.sent]).toEqual([true, []]);
  });

  it('C56 on the path of another provider', async () => {
    const browser = await opened();
    const state = stateOf(await browser.login('mytok'));
    const page = await browser.get(`/return/other?code=c&state=${state}`);
    expect([page.status, portal.sent]).toEqual([403, []]);
  });
});

describe('R23 R36 a callback counts once', () => {
  it('C47 C48 again', async () => {
    const browser = await opened();
    const path = back(`code=c&state=${stateOf(await browser.login('mytok'))}`);
    const question = await browser.get(path);
    expect((await browser.get(path)).location).toBe(question.location);
    await browser.decide(question.location, 'store');
    expect((await browser.get(path)).status).toBe(410);
    expect(portal.sent).toHaveLength(1);
  });

  it('C49 twenty times at once', async () => {
    const browser = await opened();
    const path = back(`code=c&state=${stateOf(await browser.login('mytok'))}`);
    const pages = await Promise.all(Array.from({ length: 20 }, () => browser.get(path)));
    const count = (status: number): number => pages.filter((page) => page.status === status).length;
    expect([count(303) >= 1, count(303) + count(410), portal.sent.length]).toEqual([true, 20, 1]);
  });
});

describe('R26 R30 the answer of the token endpoint is refused', () => {
  it.each<[string, () => ReturnType<Portal['answer']>, number]>([
    [
      'C57 a redirect (302)',
      () => ({ ...json('', 302), headers: { location: 'https://evil.example/' } }),
      502,
    ],
    [
      'C58 a redirect (307)',
      () => ({ ...json('', 307), headers: { location: 'https://evil.example/' } }),
      502,
    ],
    ['C60 a token of 20 kB', () => tokens({ access_token: 'x'.repeat(20_000) }), 502],
    ['C65 a wider grant', () => tokens({ scope: 'read write admin' }), 403],
    ['P25 a DPoP token', () => tokens({ token_type: 'DPoP' }), 502],
    [
      'P8 status 200 with bad_verification_code',
      () => json({ error: 'bad_verification_code' }),
      403,
    ],
    ['a dead code', () => json({ error: 'invalid_grant' }, 400), 403],
  ])('%s', async (_, answer, status) => {
    const browser = await opened();
    const state = stateOf(await browser.login('mytok'));
    portal.answer = answer;
    const page = await browser.get(back(`code=c&state=${state}`));
    expect([page.status, portal.sent.length, stored()]).toEqual([status, 1, false]);
    expect(portal.sent.every(({ url }) => url.startsWith(`${ISSUER}/`))).toBe(true);
  });
});

describe('R25 R26 the metadata', () => {
  it('C40 of another issuer is refused where it is needed', async () => {
    const browser = await opened();
    portal.writeKey([ad({ AuthorizationUrl: '' }), OTHER].join('\n'));
    await browser.open(`/key/${KEY}`);
    portal.metadata = { issuer: `${ISSUER}/` };
    expect((await browser.login('mytok')).status).toBe(403);
  });

  it('C41 is never read over http', async () => {
    const browser = await opened('http://issuer.example');
    portal.writeKey([ad({ AuthorizationUrl: '' }), OTHER].join('\n'));
    await browser.open(`/key/${KEY}`);
    const page = await browser.login('mytok');
    expect([page.status, page.text.includes('https')]).toEqual([422, true]);
  });
});

describe('R23 R27 what is always sent, and what is not believed', () => {
  it('C64 the challenge is S256', async () => {
    const { searchParams } = new URL((await (await opened()).login('mytok')).location);
    expect(searchParams.get('code_challenge_method')).toBe('S256');
  });

  it('C66 an ID token is ignored if no issuer is configured', async () => {
    const browser = await opened();
    const state = stateOf(await browser.login('other'));
    portal.answer = () => tokens({ id_token: signedIdToken({ iss: 'x', sub: 'mallory' }) });
    const page = await browser.get(`/return/other?code=c&state=${state}`);
    expect(page.status).toBe(303);
    expect(portal.log.join('\n')).not.toContain('mallory');
  });
});
