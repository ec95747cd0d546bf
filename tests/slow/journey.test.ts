// From the link of condor_submit to tokens that stay fresh, in a real browser, against
// real issuers, with the built programs.
import { startIssuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { createWorkspace } from '@credmon/test-fixtures/files/workspace';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBrowser } from './browser.ts';
import { root } from './daemon-runs.ts';
import { logInAtBoth, renewTwice, type JourneyParts } from './journey.ts';
import { isMissing } from '../support/needs.ts';

describe.skipIf(isMissing('chromium'))('the whole journey in Chromium', () => {
  let browser: Browser;
  let parts: JourneyParts;
  let portal: Child | undefined;

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    const workspace = createWorkspace();
    await choosePrefix(workspace, '/credmon');
    const issuers = [
      await startIssuer({ name: 'issuer A', accessTokenTtl: 60 }),
      await startIssuer({ name: 'issuer B', accessTokenTtl: 60 }),
    ] as const;
    const mytok = await workspace.addService('mytok', issuers[0]);
    const other = await workspace.addService('other', issuers[1]);
    parts = { workspace, mytok, other };
    portal = await startPortal(root, workspace);
  });
  afterEach(async () => {
    await portal?.stop();
    await Promise.all([parts.mytok.issuer.close(), parts.other.issuer.close()]);
    parts.workspace.remove();
  });

  it('logs in at two providers, leaves exact files, and the daemon renews them as they come due', async () => {
    expect(await logInAtBoth(browser, parts)).toBe('All done');
    for (const renewals of await renewTwice(parts)) expect(renewals).toBeGreaterThanOrEqual(2);
  });

  it('R42 works without JavaScript', async () => {
    expect(await logInAtBoth(browser, parts, { javaScriptEnabled: false })).toBe('All done');
  });
});
