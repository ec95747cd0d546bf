// A second sign-in for a stored token.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Browser, Page } from './support/browser.ts';
import { KEY, ad, startPortal, tokens, type Ad, type Portal } from './support/portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.close());

/** Signs in to mytok. The list is never complete, because another token is missing. */
async function signIn(
  browser: Browser,
  fields: Ad,
  answer: Record<string, unknown>,
): Promise<Page> {
  portal.writeKey([ad(fields), ad({ Provider: 'other' })].join('\n'));
  await browser.open(`/key/${KEY}`);
  portal.answer = () => tokens(answer);
  return browser.complete(await browser.login('mytok'));
}

const content = (kind: string): Record<string, unknown> =>
  (portal.tokenFiles()[`mytok.${kind}`] as { content: Record<string, unknown> }).content;
const none = { refresh_token: undefined };

describe('a second sign-in', () => {
  it.each([
    ['for the same scopes', {}, 'read, write'],
    ['for the same scopes in another order', { Scopes: 'write read' }, 'write read'],
    ['with a new client secret', { ClientSecret: 'canary-new' }, 'read, write'],
  ])(
    'R16 %s without a refresh token in the response keeps the stored one, and says so',
    async (_title, fields, scopes) => {
      const browser = portal.browser();
      await signIn(browser, {}, { refresh_token: 'rt-1', access_token: 'at-1' });
      portal.now += 60;
      expect((await signIn(browser, fields, { ...none, access_token: 'at-2' })).status).toBe(303);
      expect(content('top')).toEqual({ refresh_token: 'rt-1', scopes });
      expect(content('use')).toMatchObject({ access_token: 'at-2', issued_at: 1_800_000_060 });
      expect(content('meta')).toMatchObject({
        client_secret: 'canary-new',
        use_refresh_token: true,
        ...('ClientSecret' in fields ? {} : { client_secret: 'canary-client-secret' }),
      });
      const { text } = await browser.get('/');
      expect(text).toContain('The provider sent no new refresh token. The stored one was kept');
      expect(text).not.toContain('cannot be renewed');
    },
  );

  it('R16 that finishes after another tab has stored a refresh token keeps that one', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const [one, two] = [await browser.login('mytok'), await browser.login('mytok')];
    portal.answer = () => tokens({ refresh_token: 'rt-1' });
    await browser.complete(one);
    portal.answer = () => tokens(none);
    await browser.complete(two);
    expect(content('top')).toMatchObject({ refresh_token: 'rt-1' });
  });

  it('R16 does not change a valid .top, because the daemon may be rotating it', async () => {
    const browser = portal.browser();
    await signIn(browser, {}, { refresh_token: 'rt-1' });
    const path = join(portal.credentials, 'alice/mytok.top');
    const before = statSync(path);
    await signIn(browser, {}, none);
    expect([statSync(path).ino, statSync(path).mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it.each([
    ['other scopes', { Scopes: 'read' }],
    ['another audience', { Audience: 'https://b.example' }],
  ])(
    'R16 R41 for %s without a refresh token in the response is rejected, and no stored file changes',
    async (_title, fields) => {
      const browser = portal.browser();
      await signIn(browser, {}, { refresh_token: 'rt-1' });
      const before = portal.tokenFiles();
      const page = await signIn(browser, fields, none);
      expect([page.status, page.text.includes('The stored token was kept')]).toEqual([409, true]);
      expect(page.text).toContain('condor_store_cred delete-oauth -s mytok');
      expect(portal.tokenFiles()).toEqual(before);
    },
  );

  it('R16 with another client replaces the refresh token, which only the old client can use, and says so', async () => {
    const browser = portal.browser();
    await signIn(browser, {}, { refresh_token: 'rt-1' });
    expect((await signIn(browser, { ClientId: 'new' }, none)).status).toBe(303);
    expect([content('top')['refresh_token'], content('meta')['use_refresh_token']]).toEqual([
      '',
      false,
    ]);
    expect((await browser.get('/')).text).toContain('The stored refresh token could not be kept');
  });

  it('R16 with a refresh token replaces the stored one', async () => {
    const browser = portal.browser();
    await signIn(browser, {}, { refresh_token: 'rt-1' });
    await signIn(browser, { Scopes: 'read' }, { refresh_token: 'rt-2' });
    expect(content('top')).toEqual({ refresh_token: 'rt-2', scopes: 'read' });
  });
});

describe('a .top that changes while a login is stored', () => {
  it('R21 is read again: a refresh token that another replica has stored meanwhile is kept', async () => {
    const { openCredentialFiles } = await import('../src/host/credential-files.ts');
    const files = openCredentialFiles(portal.credentials);
    const other = { meta: '{}', use: '{}', top: '{"refresh_token":"rt-9","scopes":"read, write"}' };
    let reads = 0;
    const slow = {
      ...files,
      readToken: (user: string, stem: string) => {
        const stored = files.readToken(user, stem);
        reads += 1;
        if (reads === 1) files.writeToken(user, stem, other);
        return stored;
      },
    };
    portal.writeKey(ad());
    const here = portal.browser();
    await here.open(`/key/${KEY}`);
    const there = here.at(await portal.replica({ files: slow }));
    portal.answer = () => tokens(none);
    expect((await there.complete(await there.login('mytok'))).status).toBe(303);
    expect(readFileSync(join(portal.credentials, 'alice/mytok.top'), 'utf8')).toBe(other.top);
    expect(content('meta')['use_refresh_token']).toBe(true);
  });
});
