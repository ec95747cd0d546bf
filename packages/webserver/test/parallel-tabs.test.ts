// What one tab does while the return of another tab waits for the issuer.
import { afterEach, describe, expect, it } from 'vitest';
import type { Browser, Page } from './support/browser.ts';
import { KEY, ad, startPortal, tokens, type Portal } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

/** A promise, and what resolves it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** Comes back from the issuer, which does not answer before `meanwhile` is over; answers with the page after the return. */
async function returnDuring(
  browser: Browser,
  path: string,
  meanwhile: () => Promise<unknown>,
): Promise<Page> {
  const [asked, answered] = [gate(), gate()];
  portal.answer = async () => {
    asked.open();
    await answered.passed;
    return tokens();
  };
  const back = browser.get(path);
  await asked.passed;
  await meanwhile();
  answered.open();
  return back;
}

describe('R36 the key link that is opened again while a return waits for the issuer', () => {
  it.each([
    ['and another sign-in is under way', true],
    ['and no other sign-in is under way', false],
  ])('%s, does not lose the answer', async (_title, another) => {
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
