// A user at the device page of an issuer: opens the URL from the terminal, confirms the
// code, and logs in or cancels.
import { httpBrowser, type BrowserOptions } from '../browsers/http-browser.ts';
import { pressButton } from '../browsers/http-login.ts';

/**
 * Goes through the pages of `url` (with the code in it). Returns the text of the last
 * page. `options`: those of the user's browser.
 */
export async function answerDevicePage(
  url: string,
  press: 'login' | 'cancel',
  account?: string,
  options?: BrowserOptions,
): Promise<string> {
  const browser = httpBrowser(options);
  let page = await browser.open(url);
  for (let step = 0; step < 5; step += 1) {
    const form = page.forms.find(({ fields }) => 'xsrf' in fields);
    if (!form) break;
    page = await browser.submit(form);
  }
  const last = await pressButton(browser, page, press, account);
  return last.body;
}
