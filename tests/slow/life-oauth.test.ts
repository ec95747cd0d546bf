// The life of tokens that are renewed with refresh tokens, at a real issuer, under one
// running daemon.
import { rmSync } from 'node:fs';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog } from './daemon-runs.ts';
import { revokeAt, startLife, type Life } from './provider-life.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let life: Life;
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
  workspace = createWorkspace();
  service = await workspace.addService('mytok', issuer);
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await issuer.close();
  workspace.remove();
});

/** Logs a user in, as the portal does; answers with `.use`. */
async function login(user: string): Promise<string> {
  await seedToken(workspace, service, user, 'mytok', { scopes: 'read' });
  life.daemon.signal('SIGHUP');
  return life.use(`${user}/mytok`);
}
const refreshToken = (token: string): string =>
  String(readJson(life.path(token, 'top'))['refresh_token']);

describe('an OAuth token', () => {
  it('issue: a .use that is missing is made from .top', async () => {
    const first = await login('alice');
    rmSync(life.path('alice/mytok', 'use'));
    life.daemon.signal('SIGHUP');
    expect(await life.changed('alice/mytok')).not.toBe(first);
    expect(await verifyToken(issuer, life.accessToken('alice/mytok'))).toMatchObject({
      sub: 'alice',
      scope: 'read',
    });
  });

  it('renew: again and again by itself, each time with the refresh token of the last', async () => {
    issuer.setAccessTokenTtl(2);
    const first = await login('bob');
    const second = await life.changed('bob/mytok', first);
    issuer.setAccessTokenTtl(600);
    await life.changed('bob/mytok', second);
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it('refuse: a client that the issuer does not accept is reported, and it is not asked again', async () => {
    const before = await login('carol');
    await login('chris');
    workspace.secretFile('mytok', 'not the secret\n');
    for (const token of ['carol/mytok', 'chris/mytok']) {
      life.again(token);
      await life.failed(token, 'CLIENT_REFUSED');
    }
    expect(issuer.log.requests.filter(({ outcome }) => outcome === 'invalid_client')).toHaveLength(
      2,
    );
    expect(life.use('carol/mytok')).toBe(before);
    await life.logged('carol/mytok: the issuer of mytok answered invalid_client');
    await life.logged('the administrator must act');
  });

  it('R29 rollover: a new client secret in the file is used at once, without a restart', async () => {
    const before = life.use('carol/mytok');
    await issuer.addClient({
      ...service,
      clientSecret: 'rolled',
      redirectUris: [`${workspace.webPrefix}/return/mytok`],
    });
    service = { ...service, clientSecret: 'rolled' };
    workspace.secretFile('mytok', 'rolled\n');
    life.daemon.signal('SIGHUP');
    expect(await life.changed('carol/mytok', before)).not.toBe('');
  });

  it('revoke: a revoked grant leaves the token that jobs have, and says that the user must log in again', async () => {
    const before = await login('dave');
    await revokeAt(issuer, service, refreshToken('dave/mytok'));
    life.again('dave/mytok');
    await life.failed('dave/mytok', 'GRANT_REVOKED');
    expect(life.use('dave/mytok')).toBe(before);
    await life.logged('submits again');
    const fresh = await login('dave');
    life.again('dave/mytok');
    await life.changed('dave/mytok', fresh);
  });

  it('outage: nobody listens at the issuer; the old token stays, and it ends by itself', async () => {
    const before = await login('erin');
    await issuer.setFault('refused');
    life.again('erin/mytok');
    await life.failed('erin/mytok', 'ISSUER_UNREACHABLE');
    expect(life.use('erin/mytok')).toBe(before);
    await issuer.setFault();
    await life.changed('erin/mytok', before);
  });

  it('bad answer: HTML instead of a token changes nothing, and the next good one counts', async () => {
    const before = await login('frank');
    await issuer.setFault('html');
    life.again('frank/mytok');
    await life.failed('frank/mytok', 'ISSUER_ANSWER_INVALID');
    expect(life.use('frank/mytok')).toBe(before);
    await issuer.setFault();
    await life.changedOnCall('frank/mytok', before);
    expect(daemonLog(workspace)).not.toContain(refreshToken('frank/mytok'));
  });
});
