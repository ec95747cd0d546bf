// A login through the portal in two halves: up to the issuer's redirect, and from there
// to the end.
import { visibleText } from './html-forms.ts';
import { httpBrowser, type Page } from './http-browser.ts';
import { confirmAccount, pressButton } from './http-login.ts';

/** A login that the issuer has sent back and the portal has not seen yet. */
export interface PendingReturn {
  /** The address that the issuer sent the browser to. */
  readonly url: string;
  /**
   * Goes there, and confirms the account where the portal asks.
   * @throws Error that says what a page refused, or that the portal died
   */
  finish(): Promise<Page>;
}

/**
 * Opens the link that condor_submit printed, logs in at the issuer, and stops before the
 * portal at `webPrefix` is asked again.
 */
export async function walkToReturn(keyUrl: string, webPrefix: string): Promise<PendingReturn> {
  const browser = httpBrowser({ stopAt: `${webPrefix}/return` });
  const list = accepted(await browser.open(keyUrl));
  const form = list.forms.find(({ action }) => new URL(action).pathname.includes('/login/'));
  if (form === undefined) throw new Error(`no login on the page: ${visibleText(list.body)}`);
  const { url, stopped } = await pressButton(
    browser,
    accepted(await browser.submit(form)),
    'login',
  );
  if (!stopped) throw new Error(`the issuer did not send the browser back: ${url}`);
  return {
    url,
    finish: async () => accepted(await confirmAccount(browser, accepted(await browser.open(url)))),
  };
}

function accepted(page: Page): Page {
  if (page.status >= 400)
    throw new Error(`${new URL(page.url).pathname}: ${page.status} ${visibleText(page.body)}`);
  return page;
}
