// A login through the portal in two halves: up to the redirect of the issuer, and the
// rest.
import { visibleText } from './html-forms.ts';
import { httpBrowser, type Page } from './http-browser.ts';
import { confirmAccount, pressButton } from './http-login.ts';

/** A login after the redirect of the issuer, before the portal receives it. */
export interface PendingReturn {
  /** The URL of the redirect. */
  readonly url: string;
  /**
   * Opens the URL, and confirms the account if the portal asks.
   * @throws Error with the text of an error page, or if the portal died
   */
  finish(): Promise<Page>;
}

/**
 * Opens the link that condor_submit printed, logs in at the issuer, and stops before the
 * next request to the portal at `webPrefix`.
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
