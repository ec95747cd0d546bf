// The issuer Glewlwyd as Debian ships it: sign-ins in Chromium, device logins, renewals
// with rotation, and dead grants, with the built programs.
import { deleteCredential } from '@credmon/test-fixtures/files/credd';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { listing } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import {
  GLEWLWYD_USER,
  isGlewlwydMissing,
  startGlewlwyd,
  type Glewlwyd,
} from '@credmon/test-fixtures/servers/glewlwyd';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { startBrowser, visit } from './browser.ts';
import { daemonLog, root } from './daemon-runs.ts';
import { startLife, startStorer, type Life } from './provider-life.ts';
import {
  clientOf,
  configureProvider,
  requestToken,
  signInAt,
  tokenFile,
  type RealProvider,
  type SignedIn,
} from './real-provider.ts';

const missing = [isMissing('chromium'), isGlewlwydMissing()].includes(true);

describe.skipIf(missing)('Glewlwyd', () => {
  let browser: Browser;
  let glewlwyd: Glewlwyd;
  let workspace: Workspace;
  let portal: Child;
  let life: Life;
  /** `mytok` accepts the secret in the form, `usual` only in the header. */
  const provider = (name: string): RealProvider => ({
    name,
    issuer: glewlwyd.issuer,
    ...clientOf(workspace, name),
  });

  beforeAll(async () => {
    [browser, glewlwyd] = await Promise.all([startBrowser(), startGlewlwyd()]);
    workspace = createWorkspace({
      knobs: {
        VAULT_CREDMON_PROVIDER_NAMES: 'device',
        CREDMON_DEVICE_PROVIDER_NAMES: 'device',
      },
    });
    await choosePrefix(workspace);
    for (const [name, method] of [
      ['mytok', 'client_secret_post'],
      ['usual', 'client_secret_basic'],
    ] as const) {
      await glewlwyd.addClient({ ...clientOf(workspace, name), methods: [method] });
      configureProvider(workspace, provider(name), { EXTRA_SCOPES: 'openid' });
    }
    await glewlwyd.addClient({ clientId: 'device-client', redirectUris: [] });
    workspace.configure({
      device_CLIENT_ID: 'device-client',
      CREDMON_device_ISSUER: glewlwyd.issuer,
      CREDMON_device_EXTRA_SCOPES: 'openid',
    });
    portal = await startPortal(root, workspace);
    life = await startLife(workspace);
  });
  afterAll(async () => {
    await Promise.all([life?.daemon.stop(), portal?.stop(), browser?.close()]);
    await glewlwyd?.remove();
    workspace?.remove();
  });

  /** Signs in to the token `user/name`; `grants` are the scopes that the user ticks. */
  const login = (
    name: string,
    user: string,
    scopes = 'read',
    grants = ['read'],
  ): Promise<SignedIn> =>
    signInAt(browser, requestToken(workspace, provider(name), { user, scopes }), (page) =>
      logInAtGlewlwyd(page, grants),
    );

  it('signs in from its name alone: code challenge, verified ID token and exact files', async () => {
    const { heading, origins } = await login('mytok', 'alice');
    expect(heading).toBe('All done');
    expect([...origins].sort()).toEqual(
      [workspace.webPrefix, new URL(glewlwyd.issuer).origin].sort(),
    );
    expect(listing(join(workspace.credentialDirectory, 'alice'))).toEqual([
      'mytok.meta 400',
      'mytok.top 400',
      'mytok.use 400',
    ]);
    expect(tokenFile(workspace, 'alice/mytok', 'top')).toEqual({
      refresh_token: expect.stringMatching(/^\w{100,}$/),
      scopes: 'read',
    });
    expect(tokenFile(workspace, 'alice/mytok', 'use')).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'bearer',
      iat: expect.any(Number),
      expires_in: 3600,
      scope: 'read openid',
      issued_at: expect.any(Number),
      expires_at: expect.any(Number),
    });
    expect(tokenFile(workspace, 'alice/mytok', 'meta')).toMatchObject({
      // The external URL of Debian's configuration ends with a slash.
      token_url: glewlwyd.issuer.replace('/api/oidc', '//api/oidc/token'),
      subject: expect.stringMatching(/^\w+$/),
      use_refresh_token: true,
    });
  });

  it('R30 tells the user which scopes she did not grant', async () => {
    const { heading, text } = await login('mytok', 'bob', 'read write', []);
    expect(heading).toBe('All done');
    expect(text).toContain('The provider did not grant: write – jobs that need these scopes');
    expect(tokenFile(workspace, 'bob/mytok', 'use')['scope']).toBe('read openid');
  });

  it('renews as tokens come due, each time with the refresh token of the last', async () => {
    await glewlwyd.setAccessTokenTtl(3);
    await login('mytok', 'carol', 'read', []);
    const live = await glewlwyd.liveRefreshTokens();
    const first = life.use('carol/mytok');
    const second = await life.changed('carol/mytok', first);
    await glewlwyd.setAccessTokenTtl(600);
    await life.changed('carol/mytok', second);
    expect(await glewlwyd.liveRefreshTokens()).toBe(live);
    await life.logged(
      'Successfully renewed carol/mytok (oauth), good for 600 s, refresh token rotated',
    );
  });

  it('revokes at the issuer', async () => {
    const live = await glewlwyd.liveRefreshTokens();
    const child = startExecutable(
      root,
      'condor_credmon',
      ['revoke', 'carol', 'mytok'],
      workspace.environment,
    );
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.output).toMatch(/refresh token revoked at .*; access token revoked at /);
    expect(await glewlwyd.liveRefreshTokens()).toBe(live - 1);
  });

  it('stops when the user has disabled the refresh token, with her next step', async () => {
    const before = life.use('alice/mytok');
    await glewlwyd.disableRefreshTokens();
    life.again('alice/mytok');
    await life.failed('alice/mytok', 'GRANT_REVOKED');
    expect(life.use('alice/mytok')).toBe(before);
    await life.logged(
      'alice/mytok: the issuer of mytok answered HTTP status 400 without a reason: ' +
        'the refresh token is dead, or the client id or the client secret is wrong; ' +
        'not tried again: fix: alice runs this and submits again: ' +
        'condor_store_cred delete-oauth -s mytok',
    );
    const { credentialDirectory: directory } = workspace;
    deleteCredential({ directory, user: 'alice', stem: 'mytok' });
    expect(await login('mytok', 'alice', 'read', [])).toMatchObject({ heading: 'All done' });
    const fresh = life.use('alice/mytok');
    life.again('alice/mytok');
    await life.changed('alice/mytok', fresh);
  });

  it("R29 names the knob for the product's usual client, and works with it", async () => {
    const { heading, text } = await login('usual', 'alice');
    expect(heading).toBe('The provider rejected this server');
    const fix = 'CREDMON_usual_CLIENT_AUTH = basic';
    expect(text).toContain(`if it is registered for client_secret_basic, set ${fix}`);
    workspace.configure({ CREDMON_usual_CLIENT_AUTH: 'basic' });
    portal.signal('SIGHUP');
    await portal.printed(/Configuration read again/);
    life.daemon.signal('SIGHUP');
    expect(await login('usual', 'alice', 'read', [])).toMatchObject({ heading: 'All done' });
    const first = life.use('alice/usual');
    life.again('alice/usual');
    await life.changed('alice/usual', first);
  });

  it('logs in by device, in Chromium for the code, and the daemon renews it', async () => {
    const child = startStorer(workspace, ['device&scopes=read']);
    const [, url = ''] = await child.printed(/^ +(http:\S+code=\S+)/m);
    const visitor = await visit(browser);
    await visitor.page.goto(url);
    await logInAtGlewlwyd(visitor.page, ['read']);
    await visitor.page.getByText('Authorization complete').waitFor();
    await visitor.close();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    // The .top of a login that comes up to a minute after its .use is not news.
    const before = Date.now() / 1000 - 90;
    utimesSync(life.path('alice/device', 'use'), before, before);
    const first = life.use('alice/device');
    life.again('alice/device');
    await life.changed('alice/device', first);
    const accessToken = life.accessToken('alice/device');
    const refreshToken = String(tokenFile(workspace, 'alice/device', 'top')['refresh_token']);
    expect(findSecrets({ accessToken, refreshToken }, { terminal: child.output })).toEqual([]);
  });

  it('R45 has metadata in which check finds nothing to correct', async () => {
    const child = startExecutable(root, 'condor_credmon', ['check'], workspace.environment);
    await child.exited;
    expect(child.output.replaceAll(/\s+/g, ' ')).toContain(
      'its metadata offers PKCE with S256, a key set, device logins, revocation',
    );
    expect(child.output).not.toContain('ERROR');
  });

  it('R43 no secret is in a log', () => {
    const secrets = {
      mytok: provider('mytok').clientSecret,
      usual: provider('usual').clientSecret,
      refreshToken: String(tokenFile(workspace, 'alice/mytok', 'top')['refresh_token']),
      accessToken: life.accessToken('alice/mytok'),
    };
    const texts = { daemon: daemonLog(workspace), portal: portal.output };
    expect(findSecrets(secrets, texts)).toEqual([]);
  });
});

/** Logs in as alice, and grants the client these scopes, if it asks. */
async function logInAtGlewlwyd(page: Page, grants: readonly string[]): Promise<void> {
  await page.locator('#username').fill(GLEWLWYD_USER.name);
  await page.locator('#password').fill(GLEWLWYD_USER.password);
  await page.getByRole('button', { name: 'OK' }).click();
  const next = page.getByRole('button', { name: 'Continue' });
  await next.waitFor();
  for (const scope of grants) await page.locator(`#grant-${scope}`).check();
  const grant = page.getByRole('button', { name: 'Grant access' });
  if (await grant.isVisible()) await grant.click();
  await next.click();
}
