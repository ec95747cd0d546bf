// The issuer LemonLDAP::NG as Debian ships it, over TLS: sign-ins in Chromium, renewals,
// and dead grants, with the built programs.
import { deleteCredential } from '@credmon/test-fixtures/files/credd';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { listing } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Knobs,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import {
  isLemonldapMissing,
  LEMONLDAP_USER,
  startLemonldap,
  type Lemonldap,
  type LemonldapClient,
} from '@credmon/test-fixtures/servers/lemonldap';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { startBrowser } from './browser.ts';
import { daemonLog, root } from './daemon-runs.ts';
import { startLife, type Life } from './provider-life.ts';
import {
  clientOf,
  configureProvider,
  requestToken,
  signInAt,
  tokenFile,
  type SignedIn,
} from './real-provider.ts';

const missing = [isMissing('chromium', 'openssl'), isLemonldapMissing()].includes(true);

/** The clients: at the product, and the knobs CREDMON_<P>_* at the Access Point. */
const CLIENTS: Readonly<Record<string, [Partial<LemonldapClient>, Knobs]>> = {
  mytok: [{}, {}],
  short: [
    { refreshTokens: 'online', accessTokenTtl: 3, clientSecret: 'CANARY a+b/c=d%e&f:g' },
    { EXTRA_SCOPES: 'openid' },
  ],
  wide: [{ addedScopes: ['write'] }, {}],
  plain: [{}, { PKCE: false }],
};

describe.skipIf(missing)('LemonLDAP::NG', () => {
  let browser: Browser;
  let lemonldap: Lemonldap;
  let workspace: Workspace;
  let portal: Child;
  let life: Life;
  const client = (name: string): LemonldapClient => ({
    ...clientOf(workspace, name),
    refreshTokens: 'offline',
    ...CLIENTS[name]?.[0],
  });

  beforeAll(async () => {
    workspace = createWorkspace();
    await choosePrefix(workspace);
    const certificates = makeCertificates(workspace.root);
    workspace.configure({ AUTH_SSL_CLIENT_CAFILE: certificates.caFile });
    [browser, lemonldap] = await Promise.all([
      startBrowser(),
      startLemonldap(certificates, Object.keys(CLIENTS).map(client)),
    ]);
    const { issuer } = lemonldap;
    for (const [name, [, knobs]] of Object.entries(CLIENTS))
      configureProvider(
        workspace,
        { name, issuer, ...client(name) },
        { EXTRA_SCOPES: 'openid offline_access', USER_CLAIM: 'sub', ...knobs },
      );
    portal = await startPortal(root, workspace);
    life = await startLife(workspace);
  });
  afterAll(async () => {
    await Promise.all([life?.daemon.stop(), portal?.stop(), browser?.close()]);
    await lemonldap?.remove();
    workspace?.remove();
  });

  const login = (
    name: string,
    scopes: string,
    user = 'alice',
    button: 'Accept' | 'Refuse' = 'Accept',
  ): Promise<SignedIn> => {
    const provider = { name, issuer: lemonldap.issuer, ...client(name) };
    const link = requestToken(workspace, provider, { user, scopes });
    return signInAt(browser, link, (page) => logInAtLemonldap(page, button));
  };

  it('signs in from its name alone: consent, verified ID token and exact files', async () => {
    const { heading, origins } = await login('mytok', 'read');
    expect(heading).toBe('All done');
    expect([...origins].sort()).toEqual([workspace.webPrefix, lemonldap.issuer].sort());
    expect(listing(join(workspace.credentialDirectory, 'alice'))).toEqual([
      'mytok.meta 400',
      'mytok.top 400',
      'mytok.use 400',
    ]);
    expect(tokenFile(workspace, 'alice/mytok', 'top')).toEqual({
      refresh_token: expect.stringMatching(/^[0-9a-f]{64}$/),
      scopes: 'read',
    });
    expect(tokenFile(workspace, 'alice/mytok', 'use')).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'read openid',
      issued_at: expect.any(Number),
      expires_at: expect.any(Number),
    });
    expect(tokenFile(workspace, 'alice/mytok', 'meta')).toMatchObject({
      token_url: `${lemonldap.issuer}/oauth2/token`,
      subject: 'alice',
      use_refresh_token: true,
    });
  });

  it('stores no token for another account than the one in the ID token', async () => {
    const { heading, text } = await login('mytok', 'read', 'bob');
    expect(heading).toBe('This request belongs to another user');
    expect(text).toContain('another value of the claim "sub"');
    expect(existsSync(join(workspace.credentialDirectory, 'bob'))).toBe(false);
  });

  it('stores nothing if the user refuses', async () => {
    const { heading, text } = await login('mytok', 'read', 'bob', 'Refuse');
    expect(heading).toBe('You were not signed in');
    expect(text).toContain('rejected the login: consent_required (consent not given)');
    expect(existsSync(join(workspace.credentialDirectory, 'bob'))).toBe(false);
  });

  it('R30 refuses a grant that is wider than the request, with the line to paste', async () => {
    const { heading, text } = await login('wide', 'read');
    expect(heading).toBe('The provider granted too many permissions');
    expect(text).toContain('CREDMON_wide_EXTRA_SCOPES = openid offline_access write');
    expect(existsSync(life.path('alice/wide', 'top'))).toBe(false);
  });

  it('R23 sends a code challenge, without which the product refuses', async () => {
    const { heading, text } = await login('plain', 'read');
    expect(heading).toBe('You were not signed in');
    expect(text).toContain('rejected the login: invalid_request (Code challenge is required)');
    expect(existsSync(life.path('alice/plain', 'top'))).toBe(false);
  });

  it('renews as tokens come due, and stops when the session at the issuer has ended', async () => {
    expect(await login('short', 'read')).toMatchObject({ heading: 'All done' });
    const first = life.use('alice/short');
    const second = await life.changed('alice/short', first);
    await life.changed('alice/short', second);
    expect(lemonldap.removeSessions('_session_kind', 'SSO')).toBeGreaterThan(0);
    await life.failed('alice/short', 'GRANT_REVOKED');
    await life.logged(
      'alice/short: the issuer of short answered invalid_grant; not tried again: ' +
        'fix: alice runs this and submits again: condor_store_cred delete-oauth -s short',
    );
  });

  it('stops when the offline session was removed, and goes on after the next sign-in', async () => {
    const first = life.use('alice/mytok');
    life.again('alice/mytok');
    const second = await life.changed('alice/mytok', first);
    expect(lemonldap.removeSessions('_type', 'refresh_token')).toBeGreaterThan(0);
    life.again('alice/mytok');
    await life.failed('alice/mytok', 'GRANT_REVOKED');
    expect(life.use('alice/mytok')).toBe(second);
    await life.logged(
      'the issuer of mytok answered invalid_request without a reason: the refresh token is dead,',
    );
    const { credentialDirectory: directory } = workspace;
    deleteCredential({ directory, user: 'alice', stem: 'mytok' });
    expect(await login('mytok', 'read')).toMatchObject({ heading: 'All done' });
    const third = life.use('alice/mytok');
    life.again('alice/mytok');
    await life.changed('alice/mytok', third);
  });

  it('R43 no secret is in a log', () => {
    const secrets = {
      ...Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, client(name).clientSecret])),
      refreshToken: String(tokenFile(workspace, 'alice/mytok', 'top')['refresh_token']),
      accessToken: life.accessToken('alice/mytok'),
    };
    const texts = { daemon: daemonLog(workspace), portal: portal.output };
    expect(findSecrets(secrets, texts)).toEqual([]);
  });
});

/** Logs in as alice, and accepts or refuses what the client asks for. */
async function logInAtLemonldap(page: Page, button: 'Accept' | 'Refuse'): Promise<void> {
  await page.locator('#userfield').fill(LEMONLDAP_USER.name);
  await page.locator('#passwordfield').fill(LEMONLDAP_USER.password);
  await page.getByRole('button', { name: 'Connect' }).click();
  const answer = page.getByRole('button', { name: button });
  await answer.waitFor();
  // Before the page's script runs, both buttons accept.
  await page.waitForLoadState();
  await answer.click();
}
