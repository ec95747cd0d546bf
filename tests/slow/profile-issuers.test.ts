// The issuers of all provider profiles, with the built programs: a sign-in over HTTP, the
// files, a renewal by the running daemon, and a grant that is dead.
import { httpBrowser, type Page } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/browsers/http-login';
import { visibleText } from '@credmon/test-fixtures/browsers/html-forms';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import {
  startProfileIssuer,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { PROFILE_NAMES } from '@credmon/core/profiles';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CASES, type Case } from '../fast/issuers/cases.ts';
import { daemonLog, root } from './daemon-runs.ts';
import { startLife, type Life } from './provider-life.ts';
import {
  clientOf,
  configureProvider,
  requestToken,
  tokenFile,
  type RealProvider,
} from './real-provider.ts';

/** The name of a provider: `github (GitHub App)` becomes `githubApp`. */
const nameOf = ({ name }: Case): string => name.replace(' (GitHub App)', 'App');
/** Each provider has a user of its own, because `status` names five problems at most. */
const userOf = (name: string): string => `user-of-${name.toLowerCase()}`;
const tokenOf = (name: string): string => `${userOf(name)}/${name}`;
const rows = CASES.map((row) => [nameOf(row), row] as const);
const renewed = rows.filter(([, { refresh }]) => refresh !== undefined);

let workspace: Workspace;
let others: CaptureServer;
let portal: Child;
let life: Life;
const issuers = new Map<string, ProfileIssuer>();
const issuerOf = (name: string): ProfileIssuer => {
  const issuer = issuers.get(name);
  if (!issuer) throw new Error(`no issuer ${name}`);
  return issuer;
};
const providerOf = (name: string): RealProvider => {
  const { issuer, endpoints } = issuerOf(name);
  const urls = { authorizationUrl: endpoints.authorize, tokenUrl: endpoints.token };
  const client = clientOf(workspace, name);
  return { name, ...client, ...(issuer === undefined ? urls : { issuer }) };
};
const askedNames = (): string => join(workspace.root, 'asked-names');

/** A getent that knows no name, and writes down which ones it was asked for. */
function installGetent(): void {
  mkdirSync(join(workspace.root, 'bin'));
  const path = join(workspace.root, 'bin', 'getent');
  writeFileSync(path, `#!/bin/sh\necho "$*" >> '${askedNames()}'\nexit 2\n`);
  chmodSync(path, 0o755);
}

/** The workspace with that getent. */
const watched = (): Workspace => {
  const PATH = `${join(workspace.root, 'bin')}:${workspace.environment['PATH'] ?? ''}`;
  return { ...workspace, environment: { ...workspace.environment, PATH } };
};

beforeAll(async () => {
  workspace = createWorkspace();
  await choosePrefix(workspace);
  others = await startCaptureServer();
  for (const [name, row] of rows) {
    issuers.set(
      name,
      await startProfileIssuer(row.answers, { client: clientOf(workspace, name), names: 'own' }),
    );
    configureProvider(workspace, providerOf(name), { PROFILE: row.answers.profile });
  }
  // Other providers of the same site.
  const { clientId, clientSecret } = clientOf(workspace, 'other');
  const issuerNames = { other: others.url, absent: 'https://issuer.invalid' };
  for (const [name, issuer] of Object.entries(issuerNames))
    configureProvider(workspace, { name, issuer, clientId, clientSecret });
  installGetent();
  portal = await startPortal(root, watched());
  life = await startLife(watched());
});
afterAll(async () => {
  await Promise.all([life?.daemon.stop(), portal?.stop()]);
  await Promise.all([...issuers.values()].map((issuer) => issuer.close()));
  await others?.close();
  workspace?.remove();
});

/** Signs the user in; the issuer answers at once. Returns the last page. */
async function signIn(name: string, { scopes, audience }: Case): Promise<Page> {
  const browser = httpBrowser();
  const list = await browser.open(
    requestToken(workspace, providerOf(name), { user: userOf(name), scopes, audience }),
  );
  const form = list.forms.find(({ action }) => new URL(action).pathname.includes('/login/'));
  if (!form) throw new Error(`nothing to sign in to: ${visibleText(list.body)}`);
  return confirmAccount(browser, await browser.submit(form));
}

/** What `condor_credmon status` prints about a provider: the row, and the advice. */
async function status(name: string): Promise<{ row: Record<string, unknown>; advice: string }> {
  const args = ['status', '--user', userOf(name)];
  const start = (...more: string[]): Child =>
    startExecutable(root, 'condor_credmon', [...args, ...more], workspace.environment);
  const [table, json] = [start(), start('--json')];
  await Promise.all([table.exited, json.exited]);
  const { tokens } = JSON.parse(json.output) as { tokens: Record<string, unknown>[] };
  const row = tokens.find(({ service }) => service === name) ?? {};
  const words = table.output.split('\n').filter((line) => line.includes(name));
  return { row, advice: words.join('\n') };
}

it('every profile has an issuer', () => {
  const profiles = new Set(CASES.map(({ answers }) => answers.profile));
  expect([...profiles].sort()).toEqual([...PROFILE_NAMES].sort());
});

describe.each(rows)('%s', (name, row) => {
  it('a sign-in over HTTP stores the three files', async () => {
    expect(visibleText((await signIn(name, row)).body)).toContain('All done');
    const { access_token: token, ...use } = tokenFile(workspace, tokenOf(name), 'use');
    expect(issuerOf(name).live.has(String(token))).toBe(true);
    expect(use).toMatchObject(row.use);
    expect(tokenFile(workspace, tokenOf(name), 'top')).toEqual({
      refresh_token: row.refresh ? `refresh-${row.answers.profile}-2` : '',
      ...(row.scopes === '' ? {} : { scopes: row.scopes }),
      ...(row.audience === undefined ? {} : { audience: row.audience }),
    });
    expect(tokenFile(workspace, tokenOf(name), 'meta')).toMatchObject({
      ...clientFields(name),
      token_url: issuerOf(name).endpoints.token,
      ...(row.subject === undefined ? {} : { subject: row.subject }),
      use_refresh_token: row.refresh !== undefined,
    });
  });
});

const clientFields = (name: string): Record<string, string> => {
  const { clientId, clientSecret } = clientOf(workspace, name);
  return { client_id: clientId, client_secret: clientSecret };
};

describe.each(renewed)('%s', (name, row) => {
  it('the daemon renews the token', async () => {
    const before = life.use(tokenOf(name));
    life.again(tokenOf(name));
    await life.changed(tokenOf(name), before);
    await life.logged(`Successfully renewed ${tokenOf(name)} (oauth), good for `);
    expect(issuerOf(name).live.has(life.accessToken(tokenOf(name)))).toBe(true);
    const form = issuerOf(name).requests.findLast(
      ({ parameters }) => parameters['grant_type'] === 'refresh_token',
    );
    const { refresh_token: sent, client_secret: _, ...sentForm } = form?.parameters ?? {};
    const { clientId } = clientOf(workspace, name);
    const client = row.refresh?.['client_id'] === undefined ? {} : { client_id: clientId };
    expect(sentForm).toEqual({ ...row.refresh, ...client });
    const isSame = ['none', 'repeated'].includes(row.answers.rotation);
    const { refresh_token: kept } = tokenFile(workspace, tokenOf(name), 'top');
    expect(kept === sent).toBe(isSame);
  });

  it('a dead grant stops, and status shows who must act', async () => {
    const before = life.use(tokenOf(name));
    issuerOf(name).endGrants();
    life.again(tokenOf(name));
    await life.failed(tokenOf(name), 'GRANT_REVOKED');
    const { row: shown, advice } = await status(name);
    expect(shown).toMatchObject({ user: userOf(name), state: 'stopped' });
    expect(advice).toContain(String(row.answers.failures.grant.body['error']));
    expect(advice).toContain(`condor_store_cred delete-oauth -s ${name}`);
    expect(life.use(tokenOf(name))).toBe(before);
  });
});

it('status shows that a token of a GitHub OAuth app does not expire', async () => {
  expect((await status('github')).row).toMatchObject({
    state: 'fresh',
    expires_at: null,
  });
});

describe('R26', () => {
  it('no secret of a provider reaches another issuer', () => {
    const sent = (name: string): Record<string, string> =>
      Object.fromEntries(
        issuerOf(name).requests.map((request, at) => [
          `request ${at} to ${name}`,
          JSON.stringify(request),
        ]),
      );
    for (const [name] of rows) {
      const elsewhere = rows.filter(([one]) => one !== name).map(([one]) => sent(one));
      const { clientSecret } = clientOf(workspace, name);
      const secrets = { [`the secret of ${name}`]: clientSecret };
      expect(findSecrets(secrets, Object.assign({}, ...elsewhere))).toEqual([]);
    }
    const secrets = Object.fromEntries(
      rows.map(([name]) => [name, clientOf(workspace, name).clientSecret]),
    );
    expect(others.carried(secrets)).toEqual([]);
  });

  it('no other host is looked up than a configured one', async () => {
    const check = startExecutable(root, 'condor_credmon', ['check'], watched().environment);
    await check.exited;
    const asked = readFileSync(askedNames(), 'utf8').split('\n');
    const hosts = asked.filter((line) => line.startsWith('ahosts'));
    expect([...new Set(hosts)]).toEqual(['ahosts -- issuer.invalid']);
  });
});

it('R43 no secret is in a log', () => {
  const secrets = Object.fromEntries(
    rows.flatMap(([name]) => [
      [`client secret of ${name}`, clientOf(workspace, name).clientSecret],
      [`access token of ${name}`, life.accessToken(tokenOf(name))],
    ]),
  );
  const texts = { daemon: daemonLog(workspace), portal: portal.output };
  expect(findSecrets(secrets, texts)).toEqual([]);
});
