// The life of tokens that a site's own program brings, under one running daemon; the
// program asks a real issuer.
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog } from './daemon-runs.ts';
import { revokeAt, startLife, type Life } from './provider-life.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const AP = {
  clientId: 'ap',
  clientSecret: 'CANARY-ap',
  redirectUris: [],
  grants: ['client_credentials', EXCHANGE],
} as const;

let issuer: Issuer;
let workspace: Workspace;
let programs: string;
let life: Life;
const program = (): string => join(programs, 'token-program');

/**
 * Puts the program in place: it renews with the refresh token in `.top`, with a secret of
 * its own.
 */
function install(secret: string): void {
  const text = `#!${process.execPath}
const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', async () => {
  const { top } = JSON.parse(Buffer.concat(chunks).toString());
  const form = { grant_type: 'refresh_token', refresh_token: top.refresh_token, client_id: 'ap', client_secret: '${secret}' };
  try {
    const response = await fetch('${issuer.tokenUrl}', { method: 'POST', body: new URLSearchParams(form) });
    process.stdout.write(await response.text());
  } catch {
    process.stderr.write('the token service does not answer\\n');
    process.exitCode = 75;
  }
});
`;
  writeFileSync(`${program()}.new`, text);
  chmodSync(`${program()}.new`, 0o755);
  renameSync(`${program()}.new`, program());
}
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600, clients: [AP] });
  workspace = createWorkspace();
  programs = programFolder();
  install(AP.clientSecret);
  workspace.configure({ EXEC_CREDMON_PROVIDER_NAMES: 'own', EXEC_CREDMON_own_COMMAND: program() });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await issuer.close();
  workspace.remove();
  rmSync(programs, { recursive: true, force: true });
});

/** Stores a refresh token of the issuer; answers with it. */
async function store(token: string): Promise<string> {
  const client = { client_id: AP.clientId, client_secret: AP.clientSecret };
  const subject = await postToken(issuer.tokenUrl, {
    ...client,
    grant_type: 'client_credentials',
    scope: 'read',
  });
  const { answer } = await postToken(issuer.tokenUrl, {
    ...client,
    grant_type: EXCHANGE,
    subject_token: String(subject.answer['access_token']),
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'read',
  });
  const refresh_token = String(answer['refresh_token']);
  life.store(token, { refresh_token, scopes: 'read' });
  return refresh_token;
}
/** A token that has been issued; answers with `.use`. */
async function issued(token: string): Promise<string> {
  await store(token);
  return life.changed(token);
}

describe("a token of a site's own program", () => {
  it('issue: what the program answers is stored', async () => {
    await issued('alice/own');
    expect(await verifyToken(issuer, life.accessToken('alice/own'))).toMatchObject({
      scope: 'read',
    });
  });

  it('renew: again and again by itself, and what it rotates is kept for the next time', async () => {
    const first = await issued('bob/own');
    issuer.setAccessTokenTtl(2);
    life.again('bob/own');
    const second = await life.changed('bob/own', first);
    issuer.setAccessTokenTtl(600);
    await life.changed('bob/own', second);
    expect(issuer.log.reuses()).toEqual([]);
  });

  it('refuse: a program that is refused as a client is reported, and it is not run again', async () => {
    const before = await issued('carol/own');
    await issuer.addClient({ ...AP, clientSecret: 'CANARY-rolled' });
    life.again('carol/own');
    await life.failed('carol/own', 'CLIENT_REFUSED');
    life.again('alice/own');
    await life.failed('alice/own', 'CLIENT_REFUSED');
    expect(issuer.log.requests.filter(({ outcome }) => outcome === 'invalid_client')).toHaveLength(
      2,
    );
    expect(life.use('carol/own')).toBe(before);
    await life.logged('the administrator must act');
  });

  it('R29 rollover: a new program is run at once, without a restart', async () => {
    const before = life.use('carol/own');
    install('CANARY-rolled');
    life.daemon.signal('SIGHUP');
    expect(await life.changed('carol/own', before)).not.toBe('');
    install(AP.clientSecret);
    await issuer.addClient(AP);
  });

  it('revoke: a revoked grant leaves the token that jobs have, and says that the user must store another', async () => {
    const before = await issued('dave/own');
    await revokeAt(issuer, AP, String(readJson(life.path('dave/own', 'top'))['refresh_token']));
    life.again('dave/own');
    await life.failed('dave/own', 'GRANT_REVOKED');
    expect(life.use('dave/own')).toBe(before);
    await life.logged('submits again');
    await store('dave/own');
    await life.changed('dave/own', before);
  });

  it('outage: a program that reaches nobody leaves the old token, and it ends by itself', async () => {
    const before = await issued('erin/own');
    await issuer.setFault('refused');
    life.again('erin/own');
    await life.failed('erin/own', 'PLUGIN_FAILED');
    expect(life.use('erin/own')).toBe(before);
    await life.logged('stderr: the token service does not answer');
    await issuer.setFault();
    await life.changed('erin/own', before);
  });

  it('bad answer: HTML from the program changes nothing, and the next good answer counts', async () => {
    const before = await issued('frank/own');
    await issuer.setFault('html');
    life.again('frank/own');
    await life.failed('frank/own', 'PLUGIN_FAILED');
    expect(life.use('frank/own')).toBe(before);
    await life.logged('returned output that is not JSON');
    await issuer.setFault();
    await life.changedOnCall('frank/own', before);
  });
});

it('R43 after all of this no secret is in the log', () => {
  expect(daemonLog(workspace)).not.toContain('CANARY');
});
