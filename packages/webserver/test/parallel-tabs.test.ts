// One tab acts while the return of another tab waits for the issuer.
import { signedIdToken } from '@credmon/test-fixtures/issuer/signed-id-token';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFileFlows } from '../src/session-store/file-stores.ts';
import { csrfOf, type Browser, type Page } from './support/browser.ts';
import { KEY, ad, startPortal, tokens, type Portal, providerWith } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const OTHER = 'cd'.repeat(32);
const ISSUER = 'https://issuer.example';

/** A promise and its resolver. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/**
 * Returns from an issuer that answers only after `meanwhile` has finished; resolves to
 * the page after the return.
 */
async function returnDuring(
  browser: Browser,
  path: string,
  meanwhile: () => Promise<unknown>,
  fields: Record<string, unknown> = {},
): Promise<Page> {
  const [asked, answered] = [gate(), gate()];
  portal.answer = async () => {
    asked.open();
    await answered.passed;
    return tokens(fields);
  };
  const back = browser.get(path);
  await asked.passed;
  await meanwhile();
  answered.open();
  return back;
}

describe('R36 a key link that is opened again while a return waits for the issuer', () => {
  it.each([
    ['with another sign-in in progress', true],
    ['without another sign-in in progress', false],
  ])('%s does not lose the answer', async (_title, another) => {
    portal = await startPortal();
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    if (another) await browser.login('other');
    const path = browser.returnFrom(await browser.login('mytok'));
    const back = await returnDuring(browser, path, () => browser.open(`/key/${KEY}`));
    expect([back.status, (await browser.get(back.location)).status]).toEqual([303, 200]);
    expect((await browser.decide(back.location, 'store')).location).toBe('/');
    expect(portal.tokenFiles()).toHaveProperty('mytok.top');
  });

  it('does not lose an older answer that waits for a decision', async () => {
    portal = await startPortal();
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const { location } = await browser.get(browser.returnFrom(await browser.login('other')));
    const path = browser.returnFrom(await browser.login('mytok'));
    const back = await returnDuring(browser, path, () => browser.open(`/key/${KEY}`));
    for (const at of [location, back.location])
      expect((await browser.decide(at, 'store')).location).toBe('/');
    expect((await browser.get('/')).text).toContain('All done');
  });
});

describe('R33 a list that replaces another one while a return waits for the issuer', () => {
  const provider = providerWith({
    issuer: ISSUER,
    extraScopes: ['openid'],
    userClaim: 'sub',
  });

  async function switchTo(browser: Browser): Promise<Page> {
    const page = await browser.open(`/key/${OTHER}`);
    const offer = /name="offer" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    return browser.post('/switch', { _csrf: csrfOf(page), offer, keep: 'offered' });
  }

  /**
   * Begins a sign-in of alice; returns the address of its return and the fields of the
   * response.
   */
  async function begin(
    browser: Browser,
  ): Promise<{ path: string; fields: Record<string, unknown> }> {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    await browser.open(`/key/${KEY}`);
    const login = await browser.login('mytok');
    const seconds = portal.now;
    const nonce = new URL(login.location).searchParams.get('nonce');
    const claims = {
      iss: ISSUER,
      aud: 'condor',
      iat: seconds,
      exp: seconds + 3600,
      nonce,
      sub: 'alice',
    };
    const path = browser.returnFrom(login, { code: 'c', iss: ISSUER });
    return { path, fields: { id_token: signedIdToken(claims) } };
  }

  it.each([
    ['another account', 'bob', switchTo],
    ['the same account', 'alice', (browser: Browser) => browser.open(`/key/${OTHER}`)],
  ])('is still open after the return: of %s', async (_title, localUser, change) => {
    portal = await startPortal({ providers: new Map([['MYTOK', provider]]) });
    portal.writeKey(ad({ LocalUser: localUser, Provider: 'later' }), OTHER);
    const browser = portal.browser();
    const { path, fields } = await begin(browser);
    const back = await returnDuring(browser, path, () => change(browser), fields);
    expect([back.status, back.location]).toEqual([303, '/']);
    expect((await browser.get('/')).text).toContain(`Sign in to later for ${localUser}`);
    expect(portal.tokenFiles()).toHaveProperty('mytok.top');
  });

  it('is still open when the return ends before the old list is removed', async () => {
    portal = await startPortal({ providers: new Map([['MYTOK', provider]]) });
    portal.writeKey(ad({ LocalUser: 'bob', Provider: 'later' }), OTHER);
    const [removing, returned] = [gate(), gate()];
    const clock = { now: () => portal.now, steady: () => portal.now, wait: async () => undefined };
    const limits = { idle: 1800, absolute: 28_800, answer: 600, count: 1000 };
    const real = createFileFlows(join(portal.directory, 'sessions'), clock, limits);
    const remove = async (id: string): Promise<void> => {
      removing.open();
      await returned.passed;
      await real.remove(id);
    };
    const browser = await portal.replica({ flows: { ...real, remove } });
    const { path, fields } = await begin(browser);
    const switched = gate();
    const meanwhile = async (): Promise<void> => {
      void switchTo(browser).then(switched.open);
      await removing.passed;
    };
    const back = await returnDuring(browser, path, meanwhile, fields);
    expect(back.headers['set-cookie']).toBeUndefined();
    returned.open();
    await switched.passed;
    expect((await browser.get('/')).text).toContain('Sign in to later for bob');
  });
});
