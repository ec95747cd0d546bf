// R43: with every debug message switched on, and issuers that repeat what they were sent,
// no secret is ever logged, printed or shown.
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import {
  httpBrowser,
  type HttpBrowser,
  type Page,
} from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type FaultName, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, writeToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, runOnce, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
const secrets: Record<string, string> = {};
const texts: Record<string, string> = {};

/** Remembers a secret that came by; what is not there is not a secret. */
function remember(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '')
    secrets[`${name} ${Object.keys(secrets).length}`] = value;
}

/** Remembers the tokens that stand in the files of `stem`. */
function rememberFiles(stem: string): void {
  for (const [kind, key] of [
    ['use', 'access_token'],
    ['use', 'id_token'],
    ['top', 'refresh_token'],
  ] as const) {
    const path = join(workspace.credentialDirectory, 'alice', `${stem}.${kind}`);
    if (existsSync(path)) remember(key, readJson(path)[key]);
  }
}

beforeEach(async () => {
  for (const bag of [secrets, texts]) for (const key of Object.keys(bag)) delete bag[key];
  issuer = await startIssuer({ accessTokenTtl: 600 });
  workspace = createWorkspace({
    clientSecret: (name) => `canary-client-secret-of-${name}`,
    knobs: {
      CREDMON_FIRST_RETRY: 1,
      CREDMON_OAUTH_DEBUG: 'D_FULLDEBUG',
      CREDMON_WEB_DEBUG: 'D_FULLDEBUG',
    },
  });
  await choosePrefix(workspace);
  service = await workspace.addService('mytok', issuer);
  remember('client secret', service.clientSecret);
});
afterEach(async () => {
  await issuer.close();
  workspace.remove();
});

/** All that a process printed until its end. */
async function printedBy(child: Child): Promise<string> {
  await child.exited;
  return child.output;
}

/** Every secret that is found anywhere. */
function leaks(): string[] {
  return findSecrets(secrets, { ...texts, ...textsBelow(workspace.logDirectory) });
}

describe('R43 the daemon', () => {
  it('is silent about secrets through renewals, refusals, broken answers and broken files', async () => {
    const token = await seedToken(workspace, service, 'alice', 'mytok', {
      scopes: 'openid read',
      age: 500,
    });
    const other = await seedToken(workspace, service, 'alice', 'mytok_h1', { age: 500 });
    remember('access token', token.accessToken);
    remember('refresh token', token.refreshToken);
    remember('access token', other.accessToken);
    remember('refresh token', other.refreshToken);
    const faults: readonly FaultName[] = [
      'echo',
      'echo-error',
      'server-error',
      'html',
      'not-an-object',
      'invalid-client',
    ];
    for (const fault of faults) {
      await issuer.setFault(fault);
      const run = startDaemon(workspace, ['--once', '-d', '-v']);
      texts[`printed at ${fault}`] = await printedBy(run);
      // Whatever was remembered against it, the next fault gets its chance.
      for (const { path } of [token, other])
        writeToken(
          path('top'),
          readFileSync(path('top'), 'utf8'),
          Date.now() / 1000 - 600 + faults.indexOf(fault),
        );
    }
    await issuer.setFault();
    texts['printed at success'] = (await runOnce(workspace)).output;
    for (const stem of ['mytok', 'mytok_h1']) rememberFiles(stem);
    writeToken(token.path('top'), `{"refresh_token":"${token.refreshToken}"`);
    writeToken(other.path('use'), `{"access_token":"${other.accessToken}"`);
    chmodSync(workspace.secretFile('mytok', service.clientSecret), 0o644);
    texts['printed at broken files'] = (await runOnce(workspace)).output;
    for (const args of [['status'], ['status', '--json']]) {
      const status = startExecutable(root, 'condor_credmon', args, workspace.environment);
      texts[args.join(' ')] = await printedBy(status);
    }
    expect(daemonLog(workspace)).toMatch(/Successfully renewed alice\/mytok/);
    expect(issuer.log.requests.filter(({ fault }) => fault === 'echo-error')).not.toEqual([]);
    expect(leaks()).toEqual([]);
  });

  it('has no secret on its command line', async () => {
    const token = await seedToken(workspace, service, 'alice');
    const daemon = startDaemon(workspace, ['-v']);
    await waitUntil(() => existsSync(join(workspace.credentialDirectory, 'pid')), {
      what: 'the daemon',
    });
    texts['command line'] = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
    remember('refresh token', token.refreshToken);
    await daemon.stop();
    texts['printed'] = daemon.output;
    expect(leaks()).toEqual([]);
  });
});

describe('R43 R41 the web server', () => {
  let portal: Child;
  let browser: HttpBrowser;
  /** Where the issuer sent the browser back to last. */
  let callback = '';
  beforeEach(async () => {
    portal = await startPortal(root, workspace);
    browser = httpBrowser();
  });
  afterEach(() => portal.stop());

  const see = (what: string, page: Page): Page => {
    texts[`page ${what}`] = page.body;
    for (const url of page.trail) {
      const query = new URL(url).searchParams;
      if (url.includes('/return/'))
        for (const name of ['code', 'state']) remember(name, query.get(name));
      if (url.includes('code_challenge')) remember('nonce', query.get('nonce'));
    }
    return page;
  };

  /** Opens a fresh link and goes through the issuer's page. */
  const signIn = async (what: string): Promise<Page> => {
    const { key, url } = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      workspace.keyFileAd(service, 'alice', { scopes: 'openid read' }),
    ]);
    remember('key', key);
    const [form] = see(`${what}: list`, await browser.open(url)).forms;
    if (!form) throw new Error('no form');
    const [choice] = (await browser.submit(form)).forms;
    if (!choice) throw new Error('no choice');
    const back = see(`${what}: back`, await browser.submit(choice, { name: 'do', value: 'login' }));
    callback = back.trail.find((url) => url.includes('/return/')) ?? '';
    return see(`${what}: end`, await confirmAccount(browser, back));
  };

  it('is silent about secrets through logins, replays, refusals and broken answers', async () => {
    for (const fault of [
      'echo',
      'echo-error',
      'server-error',
      'html',
      'invalid-grant',
      'invalid-client',
    ] as const) {
      await issuer.setFault(fault);
      const page = await signIn(fault);
      expect([page.status >= 400, page.status === 500]).toEqual([true, false]);
    }
    await issuer.setFault();
    const done = await signIn('success');
    expect(done.body).toContain('All done');
    const replay = see('replay', await browser.open(callback));
    expect(replay.status).toBeGreaterThanOrEqual(400);
    see('strange', await httpBrowser().open(callback));
    for (const value of Object.values(browser.cookies(workspace.webPrefix)))
      remember('cookie', decodeURIComponent(value));
    rememberFiles('mytok');
    await portal.stop();
    texts['printed'] = portal.output;
    expect(portal.output).toMatch(/mytok/);
    expect(Object.keys(secrets).length).toBeGreaterThan(20);
    expect(leaks()).toEqual([]);
  });
});
