// The built daemon keeps a standing token from a real issuer: issue, renewal, outage, bad
// answers, refusal and a new secret.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startIssuer, type FaultName, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const client = {
  clientId: 'frontend',
  clientSecret: 'CANARY-first',
  redirectUris: [],
  grants: ['client_credentials'],
} as const;
let issuer: Issuer;
let workspace: Workspace;
const path = (): string => join(workspace.root, 'ce1.scitoken');
const text = (): string => readFileSync(path(), 'utf8');
const logged = (line: string | RegExp): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).search(line) >= 0, { what: `the log line ${line}` });
const another = (than: string): Promise<unknown> =>
  waitUntil(() => text() !== than, { what: 'another token' });

beforeEach(async () => {
  issuer = await startIssuer({ clients: [client], accessTokenTtl: 600 });
  workspace = createWorkspace();
  workspace.configure({
    CLIENT_CREDMON_site_CLIENT_ID: 'frontend',
    CLIENT_CREDMON_site_CLIENT_SECRET_FILE: workspace.secretFile(
      'site',
      `${client.clientSecret}\n`,
    ),
    CLIENT_CREDMON_site_ISSUER: issuer.url,
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'site',
    CREDMON_STANDING_ce1_PATH: path(),
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_RESOURCE: 'https://ce1.example',
    CREDMON_FIRST_RETRY: 1,
    CREDMON_LONGEST_RETRY: 1,
  });
});
afterEach(async () => {
  await issuer.close();
  workspace.remove();
});

it('R17 R43 comes at the start, is renewed, stays through an outage and bad answers, and comes back', async () => {
  issuer.setAccessTokenTtl(20);
  const daemon = startDaemon(workspace, ['-d']);
  await waitUntil(() => existsSync(path()), { what: 'the token' });
  const first = text();
  expect(await verifyToken(issuer, first.trim(), 'https://ce1.example')).toMatchObject({
    scope: 'compute.read',
    client_id: 'frontend',
  });
  expect(statSync(path()).mode & 0o7777).toBe(0o600);
  issuer.setAccessTokenTtl(600);
  await another(first);
  // Due again at once: another scope is asked for.
  const faults: FaultName[] = ['refused', 'html', 'no-access-token', 'server-error'];
  const second = text();
  await issuer.setFault(faults[0]);
  workspace.configure({ CREDMON_STANDING_ce1_SCOPE: 'read' });
  daemon.signal('SIGHUP');
  await logged(/the old token is valid for \d{3} s more/);
  for (const fault of faults.slice(1)) {
    await issuer.setFault(fault);
    const before = issuer.log.requests.length;
    daemon.signal('SIGHUP');
    await waitUntil(() => issuer.log.requests.length > before, {
      what: `a request during ${fault}`,
    });
  }
  expect(text()).toBe(second);
  await issuer.setFault();
  await another(second);
  expect(await verifyToken(issuer, text().trim())).toMatchObject({ scope: 'read' });
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  expect(daemonLog(workspace) + daemon.output).not.toMatch(/CANARY|eyJ/);
});

it('R9 R29 R30 a refused secret or a grant of too much is said once; a new secret brings the token without a restart', async () => {
  await issuer.addClient({ ...client, clientSecret: 'CANARY-second' });
  const daemon = startDaemon(workspace, ['-d']);
  await logged('invalid_client');
  await logged('the administrator must act');
  workspace.secretFile('site', 'CANARY-second\n');
  daemon.signal('SIGHUP');
  await waitUntil(() => existsSync(path()), { what: 'the token' });
  const first = text();
  await issuer.setFault('wider-scope');
  workspace.configure({ CREDMON_STANDING_ce1_SCOPE: 'read' });
  daemon.signal('SIGHUP');
  await logged(
    /granted more scopes than requested \(admin\); the token was not stored; .*; the old token is valid for \d+ s more/,
  );
  const asked = issuer.log.requests.length;
  const idle = (): number => daemonLog(workspace).split('1 managed, 0 due').length;
  const before = idle();
  daemon.signal('SIGHUP');
  await waitUntil(() => idle() > before, { what: 'a scan that finds nothing due' });
  expect([text() === first, issuer.log.requests.length]).toEqual([true, asked]);
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  expect(daemonLog(workspace) + daemon.output).not.toMatch(/CANARY|eyJ/);
});
