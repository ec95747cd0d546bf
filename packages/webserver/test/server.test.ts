// A whole server on loopback with a certified OpenID provider: real sockets, files and
// protocols.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import {
  httpBrowser,
  type HttpBrowser,
  type Page,
} from '@credmon/test-fixtures/browsers/http-browser';
import { pressButton } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer, type Server } from '../src/server.ts';
import { settingsFor, providerWith } from './support/portal.ts';

let directory: string;
let issuer: Issuer;
let server: Server;
let prefix: string;
let slow: HttpServer;
const log: string[] = [];
const write = (text: string): void => void log.push(text);

const freePort = async (): Promise<number> => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-server-'));
  mkdirSync(join(directory, 'creds'), { mode: 0o770 });
  slow = createHttpServer();
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const port = await freePort();
  prefix = `http://127.0.0.1:${port}/credmon`;
  const client = {
    clientId: 'condor',
    clientSecret: 'canary-secret',
    redirectUris: [`${prefix}/return/any`],
  };
  issuer = await startIssuer({ clients: [client], accessTokenTtl: 60 });
  server = await startServer(
    settingsFor(directory, {
      prefix,
      mount: '/credmon',
      secure: false,
      allowLoopbackHttp: true,
      listen: { kind: 'tcp', host: '127.0.0.1', port },
      providers: new Map([['MYTOK', providerWith({ issuer: issuer.url, userClaim: 'sub' })]]),
    }),
    { info: write, warn: write, error: write, debug: write },
  );
});
afterEach(async () => {
  await server.close();
  await issuer.close();
  slow.closeAllConnections();
  slow.close();
  rmSync(directory, { recursive: true, force: true });
});

const ad = (handle = '', localUser = 'alice') => ({
  Handle: handle,
  Scopes: 'openid, profile, read',
  Audience: '',
  ClientId: 'condor',
  Provider: 'mytok',
  TokenUrl: issuer.tokenUrl,
  LocalUser: localUser,
  ReturnUrl: `${prefix}/return/any`,
  ClientSecret: 'canary-secret',
  AuthorizationUrl: issuer.authorizationUrl,
});

async function login(
  browser: HttpBrowser,
  list: Page,
  press: 'login' | 'cancel' = 'login',
): Promise<Page> {
  const [form] = list.forms;
  if (!form) throw new Error(`no form on ${list.url}`);
  return pressButton(browser, await browser.submit(form), press);
}

describe('with a certified provider', () => {
  it('R23 R24 R27 R33 a login with PKCE, iss and ID token writes the files and removes the key file', async () => {
    const key = writeKeyFile(join(directory, 'creds'), prefix, [ad(), ad('h1')]);
    const browser = httpBrowser();
    const list = await browser.open(key.url);
    expect([list.url, list.status]).toEqual([`${prefix}/`, 200]);
    const half = await login(browser, list);
    expect(half.body).toContain('1 is still missing');
    expect(half.body).toContain('alice of issuer');
    const done = await login(browser, half);
    expect(done.body).toContain('All done');
    for (const stem of ['mytok', 'mytok_h1']) {
      const read = (kind: string): Record<string, unknown> =>
        JSON.parse(
          readFileSync(join(directory, 'creds/alice', `${stem}.${kind}`), 'utf8'),
        ) as Record<string, unknown>;
      expect(read('top')).toMatchObject({
        scopes: 'openid, profile, read',
        refresh_token: expect.any(String),
      });
      expect(read('use')).toMatchObject({ access_token: expect.any(String), expires_in: 60 });
      expect(read('meta')).toMatchObject({
        client_id: 'condor',
        token_url: issuer.tokenUrl,
        use_refresh_token: true,
      });
    }
    expect(existsSync(key.path)).toBe(false);
    expect(log.join('\n')).not.toMatch(/canary|code=/);
  });

  it('R33 a login as another user is rejected, and nothing is stored', async () => {
    const key = writeKeyFile(join(directory, 'creds'), prefix, [ad('', 'bob')]);
    const browser = httpBrowser();
    const page = await login(browser, await browser.open(key.url));
    expect([page.status, page.body.includes('This request belongs to another user')]).toEqual([
      403,
      true,
    ]);
    expect(existsSync(join(directory, 'creds/bob'))).toBe(false);
  });

  it('R41 a cancelled login is explained and can be repeated', async () => {
    const key = writeKeyFile(join(directory, 'creds'), prefix, [ad()]);
    const browser = httpBrowser();
    const page = await login(browser, await browser.open(key.url), 'cancel');
    expect([page.status, page.body.includes('You were not signed in')]).toEqual([403, true]);
    expect((await login(browser, await browser.open(`${prefix}/`))).body).toContain('All done');
  });
});

describe('the server', () => {
  it('creates a private session directory', () => {
    expect((statSync(join(directory, 'sessions')).mode & 0o7777).toString(8)).toBe('700');
  });

  it('R22 stores a response that arrives during the shutdown, then accepts no requests', async () => {
    let answer: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => {
      slow.once('request', (_request, response: ServerResponse) => {
        answer = () =>
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(JSON.stringify({ access_token: 'a', token_type: 'bearer', refresh_token: 'r' }));
        resolve();
      });
    });
    const { port } = slow.address() as AddressInfo;
    const slowAd = { ...ad(), Provider: 'slow', TokenUrl: `http://127.0.0.1:${port}/token` };
    const key = writeKeyFile(join(directory, 'creds'), prefix, [slowAd]);
    const browser = httpBrowser({ stopAt: issuer.authorizationUrl });
    const [form] = (await browser.open(key.url)).forms;
    if (!form) throw new Error('the list has no form');
    const state = new URL((await browser.submit(form)).url).searchParams.get('state');
    const page = browser.open(`${prefix}/return/any?code=c&state=${state}`);
    await asked;
    const closed = server.close();
    answer?.();
    // The next request of the browser, for the list, fails because the server has
    // stopped.
    await expect(page).rejects.toThrow('ECONNREFUSED');
    await closed;
    // The user answers at the next server.
    const held = readdirSync(join(directory, 'sessions')).filter((name) =>
      name.endsWith('.answer'),
    );
    expect(held).toHaveLength(1);
  });
});
