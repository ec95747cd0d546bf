// A server on real sockets: reloading settings, readiness and metrics.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { freePort } from '@credmon/test-fixtures/processes/free-port';
import { httpBrowser, type Page } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/browsers/http-login';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type Server } from '../src/server.ts';
import type { Settings } from '../src/settings/settings.ts';
import { settingsFor } from './support/portal.ts';

let directory: string;
let server: Server;
let issuer: HttpServer;
let settings: Settings;
let prefix: string;
/** The request to the issuer, which the test answers. */
let asked: Promise<ServerResponse>;
const log: string[] = [];
const write = (text: string): void => void log.push(text);

beforeEach(async () => {
  log.length = 0;
  directory = mkdtempSync(join(tmpdir(), 'credmon-reload-'));
  mkdirSync(join(directory, 'creds'), { mode: 0o770 });
  writeFileSync(join(directory, 'config'), '');
  issuer = createServer();
  asked = new Promise((resolve) => {
    issuer.once('request', (_request, response: ServerResponse) => resolve(response));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const port = await freePort();
  prefix = `http://127.0.0.1:${port}`;
  settings = settingsFor(directory, {
    prefix,
    secure: false,
    allowLoopbackHttp: true,
    listen: { kind: 'tcp', host: '127.0.0.1', port },
    metricsListen: { kind: 'tcp', host: '127.0.0.1', port: 0 },
  });
  server = await startServer(settings, { info: write, warn: write, error: write, debug: write }, [
    join(directory, 'config'),
  ]);
});
afterEach(async () => {
  await server.close();
  issuer.closeAllConnections();
  issuer.close();
  rmSync(directory, { recursive: true, force: true });
});

const get = (path: string): Promise<Page> => httpBrowser().open(`${prefix}${path}`);
const metrics = async (): Promise<string> =>
  (await httpBrowser().open(`${server.metricsAddress}/metrics`)).body;
/** A login after the return, whose token endpoint has not answered yet. */
async function waitingLogin() {
  const { port } = issuer.address() as AddressInfo;
  const at = (path: string): string => `http://127.0.0.1:${port}/${path}`;
  const key = writeKeyFile(join(directory, 'creds'), prefix, [
    {
      Handle: '',
      Scopes: '',
      Audience: '',
      ClientId: 'condor',
      Provider: 'mytok',
      TokenUrl: at('token'),
      LocalUser: 'alice',
      ReturnUrl: `${prefix}/return/mytok`,
      ClientSecret: 'canary-secret',
      AuthorizationUrl: at('auth'),
    },
  ]);
  const browser = httpBrowser({ stopAt: at('auth') });
  const [form] = (await browser.open(key.url)).forms;
  if (!form) throw new Error('the list has no form');
  const state = new URL((await browser.submit(form)).url).searchParams.get('state');
  const page = browser.open(`${prefix}/return/mytok?code=c&state=${state}`);
  return { browser, page, answer: await asked };
}
/** The number of answers that wait for a decision. */
const heldAnswers = (): number =>
  readdirSync(join(directory, 'sessions')).filter((name) => name.endsWith('.answer')).length;
const answerToken = (response: ServerResponse): void =>
  void response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ access_token: 'a', token_type: 'bearer', refresh_token: 'r' }));

describe('new settings', () => {
  it('R45 are used at once, while a login in progress finishes with its session', async () => {
    const { browser, page, answer } = await waitingLogin();
    await server.reload({ ...settings, contact: 'the new help desk' });
    expect((await get('/')).body).toContain('the new help desk');
    answerToken(answer);
    const { body } = await confirmAccount(browser, await page);
    expect([body.includes('All done'), body.includes('the new help desk')]).toEqual([true, true]);
    expect(readdirSync(join(directory, 'creds/alice')).sort()).toEqual([
      'mytok.meta',
      'mytok.top',
      'mytok.use',
    ]);
  });

  it('R22 R45 requests of the old settings are also finished before the exit', async () => {
    const { page, answer } = await waitingLogin();
    await server.reload({ ...settings, contact: 'new' });
    const closed = server.close();
    answerToken(answer);
    await expect(page).rejects.toThrow(/ECONNREFUSED|ECONNRESET|hang up/);
    await closed;
    expect(heldAnswers()).toBe(1);
  });

  it.each([
    [
      'a credential directory that does not exist',
      { credentialDirectory: '/nowhere' },
      'does not exist',
    ],
    [
      'a session directory that others can access',
      { sessionDirectory: tmpdir() },
      'other users can access it',
    ],
    ['a proxy that is not an address', { trustedProxies: ['x'] }, 'CREDMON_WEB_TRUSTED_PROXIES'],
    [
      'a header on a port that every local user can open',
      { remoteUser: { header: 'x' } },
      'CREDMON_WEB_REMOTE_USER_HEADER',
    ],
  ])('R45 with %s are rejected, and the old ones are still used', async (_title, change, why) => {
    await expect(
      server.reload({ ...settings, contact: 'another desk', ...change }),
    ).rejects.toThrow(why);
    const { status, body } = await get('/');
    expect([status, body.includes('another desk')]).toEqual([200, false]);
    expect(await metrics()).toMatch(/^condor_credmon_web_last_reload_taken 0$/m);
    await server.reload({ ...settings, contact: 'a third desk' });
    expect((await get('/')).body).toContain('a third desk');
    expect(await metrics()).toMatch(/^condor_credmon_web_last_reload_taken 1$/m);
  });

  it('R45 whose log cannot be opened are rejected as a whole, and the old ones are still used', async () => {
    const fail = (): never => {
      throw new Error('the log file /x cannot be opened (EACCES)');
    };
    const next = { ...settings, contact: 'another desk' };
    await expect(server.reload(next, [], fail)).rejects.toThrow('the log file /x cannot be opened');
    const { status, body } = await get('/');
    expect([status, body.includes('another desk')]).toEqual([200, false]);
    await server.reload(next);
    expect((await get('/')).body).toContain('another desk');
  });

  it('R45 with another listen address log that a restart is needed', async () => {
    await server.reload({ ...settings, listen: { kind: 'unix', path: '/x' } });
    expect(log).toContain('a changed CREDMON_WEB_LISTEN needs a restart; still using the old one');
    expect((await get('/')).status).toBe(200);
  });
});

describe('/readyz', () => {
  it('R44 is 200 while sessions, credentials and configuration are accessible', async () => {
    const { status, body } = await get('/readyz');
    expect([status, body]).toEqual([200, '{"ready":true}']);
    expect(readdirSync(join(directory, 'sessions'))).toEqual(['cookie.key', 'portal.json']);
  });

  it.each([
    ['the session directory', 'sessions', 'sessions cannot be written (ENOENT)'],
    ['the credential directory', 'creds', 'the credential directory cannot be used (ENOENT)'],
    ['the configuration', 'config', 'the configuration cannot be read (ENOENT)'],
  ])('R44 is 503 without %s, and shows no path', async (_title, name, reason) => {
    rmSync(join(directory, name), { recursive: true });
    const { status, body } = await get('/readyz');
    expect([status, body]).toEqual([503, JSON.stringify({ ready: false, reasons: [reason] })]);
    if (name === 'creds') mkdirSync(join(directory, name), { mode: 0o770 });
    else if (name === 'sessions') mkdirSync(join(directory, name), { mode: 0o700 });
    chmodSync(directory, 0o700);
  });
});

it('R44 /readyz is 503 while other users can enter the credential directory', async () => {
  chmodSync(join(directory, 'creds'), 0o755);
  const { status, body } = await get('/readyz');
  const reasons = ['the credential directory cannot be used (CRED_DIR_INVALID)'];
  expect([status, body]).toEqual([503, JSON.stringify({ ready: false, reasons })]);
  chmodSync(join(directory, 'creds'), 0o700);
});

describe('/metrics', () => {
  it('R43 R44 counts requests by pattern, and logins by provider and outcome, without users and secrets', async () => {
    const { browser, page, answer } = await waitingLogin();
    answerToken(answer);
    await confirmAccount(browser, await page);
    await get('/wp-admin/canary-path');
    const text = await metrics();
    for (const line of [
      'condor_credmon_web_logins_total{provider="mytok",outcome="begun"} 1',
      'condor_credmon_web_logins_total{provider="mytok",outcome="done"} 1',
      'condor_credmon_web_http_requests_total{route="/key/:key",status="3xx"} 1',
      'condor_credmon_web_http_requests_total{route="/return/*",status="3xx"} 1',
      'condor_credmon_web_http_requests_total{route="unknown",status="4xx"} 1',
      'condor_credmon_web_open_sessions{kind="session"} 1',
      'condor_credmon_web_open_sessions{kind="flow"} 1',
      'condor_credmon_web_build_info{version="0.1.0"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toMatch(/alice|canary/);
  });

  it('is not on the address of the portal, and its own address has no other page', async () => {
    expect((await get('/metrics')).status).toBe(404);
    expect((await httpBrowser().open(`${server.metricsAddress}/`)).status).toBe(404);
  });
});
