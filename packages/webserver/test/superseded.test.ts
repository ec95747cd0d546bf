// Several sign-ins for one token wait for the decision of the user: the newest stored one
// is kept.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { csrfOf, type Browser, type Page } from './support/browser.ts';
import { KEY, ad, json, startPortal, tokens, type Portal, providerWith } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const OTHER = 'cd'.repeat(32);
const revocationUrl = 'https://issuer.example/revoke';
const words = ({ text }: Page): string =>
  text
    .replace(/<head>[^]*<\/head>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');
const revoked = (): (string | null)[] =>
  portal.sent
    .filter(({ url }) => url === revocationUrl)
    .map(({ body }) => new URLSearchParams(String(body)).get('token'));
const heldAnswers = (): number =>
  readdirSync(join(portal.directory, 'sessions')).filter((name) => name.endsWith('.answer')).length;
const storedRefresh = (): unknown => portal.tokenFiles()['mytok.top'];
const top = (refreshToken: string) =>
  expect.objectContaining({ content: expect.objectContaining({ refresh_token: refreshToken }) });

/** A browser with an open list of these providers. */
async function opened(providers: readonly string[], revocation = true): Promise<Browser> {
  const provider = providerWith({ revocationUrl });
  portal = await startPortal(revocation ? { providers: new Map([['MYTOK', provider]]) } : {});
  portal.writeKey(providers.map((name) => ad({ Provider: name })).join('\n'));
  const browser = portal.browser();
  await browser.open(`/key/${KEY}`);
  return browser;
}

/** Signs in; returns the address of the question. */
async function question(browser: Browser, refreshToken: string, stem = 'mytok'): Promise<string> {
  portal.answer = ({ url }) =>
    url === revocationUrl ? json('') : tokens({ refresh_token: refreshToken });
  const page = await browser.get(`/login/${stem}`);
  const login = await browser.post(`/login/${stem}`, { _csrf: csrfOf(page) });
  return (await browser.get(browser.returnFrom(login))).location;
}

describe('R33 R36 an older sign-in for a token, once a newer one is stored,', () => {
  it.each([
    ['of a list that continues', ['mytok', 'other']],
    ['of a list that is complete', ['mytok']],
  ])('is discarded and revoked, and the list has no link to it: %s', async (_title, providers) => {
    const browser = await opened(providers);
    const [older, newer] = [await question(browser, 'older'), await question(browser, 'newer')];
    const csrf = csrfOf(await browser.get(older));
    expect((await browser.decide(newer, 'store')).location).toBe('/');
    expect([storedRefresh(), revoked(), heldAnswers()]).toEqual([top('newer'), ['older'], 0]);
    expect((await browser.get('/')).text).not.toContain('/confirm/');
    for (const decision of ['store', 'decline']) {
      const page = await browser.post(older, { _csrf: csrf, decision });
      expect([page.status, page.location]).toEqual([303, older]);
    }
    const page = await browser.get(older);
    expect([page.status, words(page)]).toEqual([
      200,
      expect.stringContaining('Another sign-in for mytok is stored for alice on ap.example'),
    ]);
    expect(words(page)).toContain('The provider has revoked it');
    expect([storedRefresh(), revoked(), existsSync(join(portal.credentials, KEY))]).toEqual([
      top('newer'),
      ['older'],
      providers.length > 1,
    ]);
  });

  it('is not revoked if it has the same refresh token', async () => {
    const browser = await opened(['mytok', 'other']);
    const [older, newer] = [await question(browser, 'same'), await question(browser, 'same')];
    await browser.decide(newer, 'store');
    expect([storedRefresh(), revoked(), heldAnswers()]).toEqual([top('same'), [], 0]);
    expect(words(await browser.get(older))).toContain('that could also end another sign-in');
  });

  it('is discarded if it cannot be revoked, and the page says that it is still valid', async () => {
    const browser = await opened(['mytok', 'other'], false);
    const [older, newer] = [await question(browser, 'older'), await question(browser, 'newer')];
    await browser.decide(newer, 'store');
    expect(words(await browser.get(older))).toContain('is valid until it expires');
  });

  it('is not stored if the newer one was stored in another browser', async () => {
    const browser = await opened(['mytok', 'other']);
    const older = await question(browser, 'older');
    portal.now += 1;
    const another = portal.browser();
    await another.open(`/key/${KEY}`);
    await another.decide(await question(another, 'newer'), 'store');
    portal.now += 1;
    const page = await browser.decide(older, 'store');
    expect([page.status, page.location, storedRefresh()]).toEqual([303, older, top('newer')]);
    expect(words(await browser.get(older))).toContain('Another sign-in for mytok is stored');
    expect([revoked(), heldAnswers()]).toEqual([['older'], 0]);
  });
});

describe('R33 R36 a newer sign-in for a token, once an older one is stored,', () => {
  it('still waits, and can replace it', async () => {
    const browser = await opened(['mytok', 'other']);
    const [older, newer] = [await question(browser, 'older'), await question(browser, 'newer')];
    await browser.decide(older, 'store');
    expect([storedRefresh(), revoked(), heldAnswers()]).toEqual([top('older'), [], 1]);
    expect((await browser.get('/')).text).toContain(`href="${newer}"`);
    expect((await browser.decide(newer, 'store')).location).toBe('/');
    expect(storedRefresh()).toEqual(top('newer'));
  });

  it('is discarded if the list is then complete, because the key file is used up', async () => {
    const browser = await opened(['mytok']);
    const [older, newer] = [await question(browser, 'older'), await question(browser, 'newer')];
    await browser.decide(older, 'store');
    expect([storedRefresh(), revoked(), heldAnswers()]).toEqual([top('older'), ['newer'], 0]);
    const list = await browser.get('/');
    expect([list.text.includes('All done'), list.text.includes('/confirm/')]).toEqual([
      true,
      false,
    ]);
    expect(words(await browser.get(newer))).toContain('Another sign-in for mytok is stored');
  });

  it('can be stored even if the clock was set back', async () => {
    const browser = await opened(['mytok', 'other']);
    await browser.decide(await question(browser, 'older'), 'store');
    portal.now -= 3600;
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'), OTHER);
    await browser.open(`/key/${OTHER}`);
    expect((await browser.decide(await question(browser, 'newer'), 'store')).location).toBe('/');
    expect(storedRefresh()).toEqual(top('newer'));
  });
});

it('the list has no link to an answer without a key file', async () => {
  const browser = await opened(['mytok']);
  const at = await question(browser, 'waiting');
  const another = portal.browser();
  await another.open(`/key/${KEY}`);
  await another.decide(await question(another, 'stored'), 'store');
  rmSync(join(portal.credentials, KEY), { force: true });
  const list = await browser.get('/');
  expect([list.text.includes('All done'), list.text.includes(at)]).toEqual([true, false]);
});
