// Every page of the portal, light, dark and narrow: axe finds nothing, nothing sticks
// out, and the keyboard is enough.
import { AxeBuilder } from '@axe-core/playwright';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signIn, startBrowser, visit } from './browser.ts';
import { root } from './daemon-runs.ts';
import { isMissing } from '../support/needs.ts';

/** What axe finds on the page as it looks now, and whether anything sticks out of it. */
async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return [
    ...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    ...(overflow === 0 ? [] : [`${overflow} pixels stick out`]),
  ];
}

describe.skipIf(isMissing('chromium'))('R42 the pages of the portal', () => {
  let browser: Browser;
  let issuer: Issuer;
  let workspace: Workspace;
  let service: Service;
  let portal: Child;

  beforeAll(async () => {
    browser = await startBrowser();
    issuer = await startIssuer();
    workspace = createWorkspace({ knobs: { CREDMON_WEB_CONTACT: 'help@pool.example' } });
    await choosePrefix(workspace);
    service = await workspace.addService('mytok', issuer);
    portal = await startPortal(root, workspace);
  });
  afterAll(async () => {
    await browser?.close();
    await portal?.stop();
    await issuer?.close();
    workspace?.remove();
  });

  /**
   * A key link for two tokens, with names and scopes of the length that real ones have.
   */
  const link = (): string =>
    writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      workspace.keyFileAd(service, 'alice', {
        handle: 'results-of-the-long-campaign',
        scopes: 'read, write, storage.read:/, storage.modify:/, compute.read',
        audience: 'https://storage-endpoint-with-a-long-name.data-centre.example:1094/protected',
      }),
      workspace.keyFileAd(service, 'alice'),
    ]).url;

  /**
   * A key link whose every name is as long as CredD allows; `asked` is more that has no
   * place to break.
   */
  const longLink = (asked: { Scopes?: string; Audience?: string } = {}): string =>
    writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      {
        ...workspace.keyFileAd(service, 'a'.repeat(200), { handle: 'h'.repeat(100) }),
        ...asked,
        Provider: 'p'.repeat(99),
      },
      { ...workspace.keyFileAd(service, 'a'.repeat(200)), Provider: 'q'.repeat(200) },
    ]).url;
  const unbroken = {
    Scopes: `${'s'.repeat(400)}, storage.read:/${'d/'.repeat(200)}`,
    Audience: `https://${'x'.repeat(60)}.${'y'.repeat(60)}.example/${'p'.repeat(200)}`,
  };

  const otherLink = (user: string): string =>
    writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      workspace.keyFileAd(service, user),
    ]).url;
  /** Signs in to the last token of the list whose name begins so, up to the question. */
  const askedAt = async (page: Page, name = 'mytok'): Promise<void> => {
    await page
      .getByRole('button', { name: `Sign in to ${name}` })
      .last()
      .click();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Store for' }).waitFor();
  };

  beforeEach(() => {
    for (const name of readdirSync(workspace.credentialDirectory))
      rmSync(join(workspace.credentialDirectory, name), { recursive: true });
  });

  const PAGES: readonly (readonly [string, (page: Page) => Promise<unknown>])[] = [
    ['the list', (page) => page.goto(link())],
    [
      'the question before a login',
      async (page) => {
        await page.goto(link());
        await page.goto(`${workspace.webPrefix}/login/mytok`);
      },
    ],
    [
      'the list with one login done',
      async (page) => {
        await page.goto(link());
        await signIn(page, 'mytok results-of-the-long-campaign', issuer.name);
      },
    ],
    [
      'the end',
      async (page) => {
        await page.goto(link());
        await signIn(page, 'mytok results-of-the-long-campaign', issuer.name);
        await signIn(page, 'mytok', issuer.name);
      },
    ],
    [
      'the question whose account it is',
      async (page) => {
        await page.goto(link());
        await askedAt(page);
      },
    ],
    [
      'a declined sign-in',
      async (page) => {
        await page.goto(link());
        await askedAt(page);
        await page.getByRole('button', { name: 'Do not store' }).click();
        await page.getByRole('heading', { name: 'Nothing was stored' }).waitFor();
      },
    ],
    [
      'an older sign-in than the one that was stored',
      async (page) => {
        await page.goto(link());
        await askedAt(page);
        const older = page.url();
        await page.goto(`${workspace.webPrefix}/login/mytok`);
        await page.getByRole('button', { name: 'Sign in for alice' }).click();
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByRole('button', { name: 'Store for' }).click();
        await page.locator('li.token.signed-in').first().waitFor();
        await page.goto(older);
        await page.getByRole('heading', { name: 'This sign-in was not stored' }).waitFor();
      },
    ],
    [
      'the list with an account that is not confirmed',
      async (page) => {
        await page.goto(link());
        await askedAt(page);
        await page.goto(`${workspace.webPrefix}/`);
        await page.getByRole('link', { name: 'Confirm the account' }).waitFor();
      },
    ],
    [
      'the link of another account',
      async (page) => {
        await page.goto(link());
        await page.goto(otherLink('bob'));
        await page.getByRole('heading', { name: 'Which account?' }).waitFor();
      },
    ],
    [
      'the link of another account with a very long name',
      async (page) => {
        await page.goto(longLink());
        await page.goto(otherLink('b'.repeat(200)));
        await page.getByRole('heading', { name: 'Which account?' }).waitFor();
      },
    ],
    [
      'the question whose account it is with very long names',
      async (page) => {
        await page.goto(longLink());
        await askedAt(page, 'p');
      },
    ],
    [
      'a cancelled login',
      async (page) => {
        await page.goto(link());
        await page.getByRole('button', { name: 'Sign in to mytok' }).last().click();
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('heading', { name: 'You were not signed in' }).waitFor();
      },
    ],
    [
      'the list after a cancelled login',
      async (page) => {
        await page.goto(link());
        await page.getByRole('button', { name: 'Sign in to mytok' }).last().click();
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('link', { name: 'Back to your list' }).click();
      },
    ],
    [
      'the list with very long names',
      async (page) => {
        await page.goto(longLink(unbroken));
        await page.locator('li.token').first().waitFor();
      },
    ],
    [
      'the question before a login with very long names',
      async (page) => {
        await page.goto(longLink(unbroken));
        await page.goto(`${workspace.webPrefix}/login/${'p'.repeat(99)}_${'h'.repeat(100)}`);
        await page.getByRole('button', { name: 'Sign in for aaa' }).waitFor();
      },
    ],
    [
      'the end of a login with very long names',
      async (page) => {
        await page.goto(longLink());
        for (const letter of ['p', 'q']) {
          await page.getByRole('button', { name: `Sign in to ${letter}` }).click();
          await page.getByRole('button', { name: 'Log in' }).click();
          await page.getByRole('button', { name: 'Store for' }).click();
          await page.locator('li.token').first().waitFor();
        }
        await page.getByRole('heading', { name: 'All done' }).waitFor();
      },
    ],
    [
      'another host name',
      async (page) => {
        await page.goto(`${workspace.webPrefix.replace('127.0.0.1', 'localhost')}/`);
        await page.getByRole('link', { name: 'Continue at 127.0.0.1' }).waitFor();
      },
    ],
    ['nothing asked for', (page) => page.goto(`${workspace.webPrefix}/`)],
    [
      'a link that is not valid',
      (page) => page.goto(`${workspace.webPrefix}/key/${'0'.repeat(64)}`),
    ],
    [
      'a refused request',
      (page) =>
        page.goto(writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, 'nonsense').url),
    ],
    ['no such page', (page) => page.goto(`${workspace.webPrefix}/nowhere`)],
  ];

  it.each(PAGES)('%s: light, dark and narrow', async (_name, go) => {
    const visitor = await visit(browser);
    const { page } = visitor;
    await go(page);
    const found = { light: await faults(page), dark: [''], narrow: [''] };
    await page.emulateMedia({ colorScheme: 'dark' });
    found.dark = await faults(page);
    await page.setViewportSize({ width: 320, height: 640 });
    found.narrow = await faults(page);
    expect(found).toEqual({ light: [], dark: [], narrow: [] });
    await visitor.close();
  });

  it('lead through a login with the keyboard alone, and show where the focus is', async () => {
    const visitor = await visit(browser);
    const { page } = visitor;
    await page.goto(link());
    const focused = (): Promise<string> =>
      page.evaluate(() => (document.activeElement as HTMLElement | null)?.innerText ?? '');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to content');
    for (let presses = 0; presses < 12 && !(await focused()).startsWith('Sign in to'); presses += 1)
      await page.keyboard.press('Tab');
    expect(await focused()).toMatch(/^Sign in to mytok/);
    const outline = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement ?? document.body);
      return style.outlineStyle === 'none' ? style.boxShadow : style.outlineWidth;
    });
    expect(outline).not.toMatch(/^(none|0px)$/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `Log in at ${issuer.name}` }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Store for alice' }).waitFor();
    const button = (): Promise<string> =>
      page.evaluate(() => (document.activeElement as HTMLButtonElement | null)?.value ?? '');
    for (let presses = 0; presses < 12 && (await button()) !== 'store'; presses += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('li.token.signed-in').first().waitFor();
    await visitor.close();
  });
});
