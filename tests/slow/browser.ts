// Debian's Chromium for the tests of this folder, and a visitor who does with the portal
// what a user would.
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { programPath } from '../support/needs.ts';

/**
 * Starts Chromium without a window. `hosts` are names whose port 443 is another port of
 * 127.0.0.1.
 */
export function startBrowser(hosts: Readonly<Record<string, number>> = {}): Promise<Browser> {
  const rules = Object.entries(hosts).map(([name, port]) => `MAP ${name}:443 127.0.0.1:${port}`);
  return chromium.launch({
    executablePath: programPath('chromium'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-proxy-server',
      ...(rules.length === 0 ? [] : [`--host-resolver-rules=${rules.join(',')}`]),
    ],
  });
}

/**
 * A page that remembers what a user should never see: errors on the console, requests to
 * strangers.
 */
export interface Visit {
  readonly page: Page;
  /** Errors that the browser reported, such as a violated Content-Security-Policy. */
  readonly complaints: string[];
  /** Origins that were asked for anything. */
  readonly origins: Set<string>;
  close(): Promise<void>;
}

/** Opens a page in a profile of its own. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(1000 * PATIENCE);
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { page, complaints, origins, close: () => context.close() };
}

/** What the list of the portal says: `mytok h1: Signed in`. */
export async function listedTokens(page: Page): Promise<string[]> {
  const cards = await page.locator('li.token').all();
  return Promise.all(
    cards.map(async (card) => {
      const [title, state] = [
        await card.locator('h3').innerText(),
        await card.locator('.state').innerText(),
      ];
      return `${title.replace(/\s+/g, ' ')}: ${state}`;
    }),
  );
}

/**
 * Signs in to one provider of the list: the portal's button, the issuer's button, and the
 * answer to the question whose account it is. Without `account`, it is the one that the
 * issuer suggests.
 */
export async function signIn(
  page: Page,
  label: string,
  issuerName: string,
  account?: string,
): Promise<void> {
  await page.getByRole('button', { name: `Sign in to ${label}` }).click();
  await page.getByRole('heading', { name: `Log in at ${issuerName}` }).waitFor();
  if (account !== undefined) await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('button', { name: 'Store for' }).click();
  await page.locator('li.token').first().waitFor();
  expect(await listedTokens(page)).toContain(`${label}: Signed in`);
}
