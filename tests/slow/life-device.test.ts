// The life of tokens that begin with a device login: the storer on a terminal, a real
// issuer, and the running daemon that renews without `.meta`.
import { existsSync, utimesSync } from 'node:fs';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { answerDevicePage } from '@credmon/test-fixtures/servers/device-page';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeAt, startLife, startStorer, type Life } from './provider-life.ts';

let issuer: Issuer;
let workspace: Workspace;
let life: Life;
const client = {
  clientId: 'mytok',
  clientSecret: '',
  redirectUris: ['https://ap.example/return'],
  authentication: 'none',
} as const;
const confidential = { ...client, authentication: 'post', clientSecret: 'CANARY-mytok' } as const;
const TOKEN = 'alice/mytok';

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600, clients: [client] });
  workspace = createWorkspace({
    knobs: {
      mytok_CLIENT_ID: client.clientId,
      mytok_TOKEN_URL: issuer.tokenUrl,
      CREDMON_mytok_ISSUER: issuer.url,
      stranger_CLIENT_ID: 'unheard-of',
      stranger_TOKEN_URL: issuer.tokenUrl,
      CREDMON_stranger_ISSUER: issuer.url,
      page_CLIENT_ID: client.clientId,
      page_TOKEN_URL: issuer.tokenUrl,
      CREDMON_page_ISSUER: issuer.url,
      CREDMON_page_DEVICE_URL: `${issuer.url}/.well-known/openid-configuration`,
      VAULT_CREDMON_PROVIDER_NAMES: 'mytok',
      CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
    },
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await issuer.close();
  workspace.remove();
});

const storer = (...args: readonly string[]): Child => startStorer(workspace, args);
const refreshToken = (): string => String(readJson(life.path(TOKEN, 'top'))['refresh_token']);

describe('a token of a device login', () => {
  it('issue: who confirms the code has a token at once, and no secret on the terminal', async () => {
    const child = storer('mytok&scopes=read');
    const [, page = ''] = await child.printed(/^ +(http:\S+user_code=\S+)/m);
    await answerDevicePage(page, 'login', 'alice');
    expect(await child.exited).toEqual({ code: 0, signal: null });
    const accessToken = life.accessToken(TOKEN);
    expect(await verifyToken(issuer, accessToken)).toMatchObject({ sub: 'alice', scope: 'read' });
    const secrets = { accessToken, refreshToken: refreshToken() };
    expect(findSecrets(secrets, { terminal: child.output })).toEqual([]);
  });

  it('renew: the daemon does it again and again, from the configuration alone', async () => {
    issuer.setAccessTokenTtl(2);
    const first = life.use(TOKEN);
    // The .top of a login that comes up to a minute after its .use is not news.
    const before = Date.now() / 1000 - 90;
    utimesSync(life.path(TOKEN, 'use'), before, before);
    life.again(TOKEN);
    const second = await life.changed(TOKEN, first);
    issuer.setAccessTokenTtl(600);
    await life.changed(TOKEN, second);
    expect([existsSync(life.path(TOKEN, 'meta')), issuer.log.reuses()]).toEqual([false, []]);
  });

  it('R29 rollover: a new client secret in the file is used at once, without a restart', async () => {
    // Nobody could log in with it: the device login is over by now.
    await issuer.addClient(confidential);
    const secret = workspace.secretFile('mytok', `${confidential.clientSecret}\n`);
    workspace.configure({ mytok_CLIENT_SECRET_FILE: secret });
    const first = life.use(TOKEN);
    life.daemon.signal('SIGHUP');
    life.again(TOKEN);
    const before = await life.changed(TOKEN, first);
    await issuer.addClient({ ...confidential, clientSecret: 'CANARY-rolled' });
    life.again(TOKEN);
    await life.failed(TOKEN, 'CLIENT_REFUSED');
    workspace.secretFile('mytok', 'CANARY-rolled\n');
    life.daemon.signal('SIGHUP');
    expect(await life.changed(TOKEN, before)).not.toBe('');
  });

  it('outage: nobody listens at the issuer; no login begins and nothing is stored, and the old token stays', async () => {
    const before = life.use(TOKEN);
    await issuer.setFault('refused');
    const child = storer('--force', 'page');
    expect((await child.exited).code).toBe(1);
    expect(child.output).toContain('ECONNREFUSED');
    life.again(TOKEN);
    await life.failed(TOKEN, 'ISSUER_UNREACHABLE');
    expect(life.use(TOKEN)).toBe(before);
    await issuer.setFault();
    await life.changedOnCall(TOKEN, before);
  });

  it('bad answer: no device authorization, or no token, is told or changes nothing', async () => {
    const child = storer('page');
    expect((await child.exited).code).toBe(1);
    expect(child.output).toMatch(/the issuer of page answered HTTP status 404|is no such answer/);
    const before = life.use(TOKEN);
    await issuer.setFault('no-access-token');
    life.again(TOKEN);
    await life.failed(TOKEN, 'ISSUER_ANSWER_INVALID');
    expect(life.use(TOKEN)).toBe(before);
    await issuer.setFault();
    await life.changedOnCall(TOKEN, before);
  });

  it('refuse: a client that the issuer does not know gets no code, and nothing is stored', async () => {
    const child = storer('stranger');
    expect((await child.exited).code).toBe(1);
    expect(child.output).toContain('the issuer of stranger answered invalid_client');
    expect(existsSync(life.path('alice/stranger', 'top'))).toBe(false);
  });

  it('revoke: a revoked grant leaves the token that jobs have, and says that the user must log in again', async () => {
    const before = life.use(TOKEN);
    await revokeAt(issuer, { ...confidential, clientSecret: 'CANARY-rolled' }, refreshToken());
    life.again(TOKEN);
    await life.failed(TOKEN, 'GRANT_REVOKED');
    expect(life.use(TOKEN)).toBe(before);
    await life.logged('submits again');
  });
});
