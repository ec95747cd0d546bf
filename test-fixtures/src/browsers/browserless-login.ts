// Logs in through the web portal over HTTP, with cookies and forms but without a browser.
import { visibleText } from './html-forms.ts';
import { httpBrowser, type BrowserOptions, type Page } from './http-browser.ts';
import { confirmAccount, pressButton } from './http-login.ts';

/** The largest number of tokens of one request; a larger number is an endless loop. */
const MAX_LOGINS = 20;

/**
 * Opens the link that condor_submit printed and logs in until the list is complete.
 * @returns all pages on the way
 * @throws Error with the text of an error page
 */
export async function loginThroughPortal(
  keyUrl: string,
  options: BrowserOptions = {},
): Promise<readonly Page[]> {
  const browser = httpBrowser(options);
  const pages: Page[] = [];
  const see = (page: Page): Page => {
    pages.push(page);
    if (page.status >= 400)
      throw new Error(`${new URL(page.url).pathname}: ${page.status} ${visibleText(page.body)}`);
    return page;
  };
  let page = see(await browser.open(keyUrl));
  for (let logins = 0; logins < MAX_LOGINS; logins += 1) {
    const form = page.forms.find(({ action }) => new URL(action).pathname.includes('/login/'));
    if (form === undefined) return pages;
    const issuerPage = see(await browser.submit(form));
    page = see(await confirmAccount(browser, see(await pressButton(browser, issuerPage, 'login'))));
  }
  throw new Error(`the portal still asks for a login after ${MAX_LOGINS}`);
}
