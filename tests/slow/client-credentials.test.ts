// The built daemon with every source of tokens that needs no browser: each name with its
// owner, and none waits for another.
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const client = {
  clientId: 'ap',
  clientSecret: 'CANARY-ap-secret',
  redirectUris: [],
  grants: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
} as const;
let good: Issuer;
let hung: Issuer;
let workspace: Workspace;
let programs: string;
const file = (name: string): string => join(workspace.credentialDirectory, name);

function store(name: string, top: string): void {
  mkdirSync(join(file(name), '..'), { recursive: true, mode: 0o700 });
  writeFileSync(file(name), top, { mode: 0o600 });
}

beforeAll(async () => {
  [good, hung] = await Promise.all([
    startIssuer({ name: 'good', clients: [client] }),
    startIssuer({ name: 'hung', clients: [client] }),
  ]);
  await hung.setFault('hang');
  workspace = createWorkspace();
  programs = programFolder();
  const program = join(programs, 'token-program');
  writeFileSync(
    program,
    '#!/bin/sh\ncat > /dev/null\necho \'{"access_token":"made-here","expires_in":600}\'\n',
  );
  chmodSync(program, 0o755);
  const secret = workspace.secretFile('ap', `${client.clientSecret}\n`);
  workspace.configure({
    CLIENT_CREDMON_PROVIDER_NAMES: 'site, stuck',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: secret,
    CLIENT_CREDMON_site_ISSUER: good.url,
    CLIENT_CREDMON_site_AUTHZ_TEMPLATE: 'read',
    CLIENT_CREDMON_stuck_TOKEN_URL: hung.tokenUrl,
    EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
    EXCHANGE_CREDMON_CLIENT_ID: 'ap',
    EXCHANGE_CREDMON_CLIENT_SECRET_FILE: secret,
    EXCHANGE_CREDMON_ISSUER: `${good.url}, ${hung.url}`,
    EXEC_CREDMON_PROVIDER_NAMES: 'own',
    EXEC_CREDMON_own_COMMAND: program,
  });
});
afterAll(async () => {
  await Promise.all([good.close(), hung.close()]);
  workspace.remove();
  rmSync(programs, { recursive: true, force: true });
});

describe('a daemon with several sources', () => {
  it('R1 R19 R43 gives each token to its owner, and a hung issuer holds up nobody', async () => {
    const { answer } = await postToken(good.tokenUrl, {
      grant_type: 'client_credentials',
      client_id: 'ap',
      client_secret: client.clientSecret,
      scope: 'read',
    });
    const daemon = startDaemon(workspace, ['-d']);
    await waitUntil(() => existsSync(file('pid')), { what: 'the pid file' });
    store('alice/stuck.top', 'alice');
    store('alice/site.top', 'alice');
    store(
      'alice/swap.top',
      JSON.stringify({ access_token: answer['access_token'], scopes: 'write' }),
    );
    store('alice/own.top', 'alice');
    store('alice/nobodys.top', 'alice');
    daemon.signal('SIGHUP');
    for (const name of ['site', 'swap', 'own'])
      await waitUntil(() => existsSync(file(`alice/${name}.use`)), { what: `${name}.use` });
    const token = (name: string): string =>
      String(readJson(file(`alice/${name}.use`))['access_token']);
    expect(await verifyToken(good, token('site'))).toMatchObject({ scope: 'read' });
    expect(await verifyToken(good, token('swap'))).toMatchObject({ scope: 'write' });
    expect(token('own')).toBe('made-here');
    expect([existsSync(file('alice/stuck.use')), existsSync(file('alice/nobodys.use'))]).toEqual([
      false,
      false,
    ]);
    expect(hung.log.requests.map(({ grant }) => grant)).toEqual(['client_credentials']);
    // The end waits for what is under way.
    await hung.setFault('refused');
    await daemon.stop();
    expect(daemonLog(workspace) + daemon.output).not.toContain('CANARY');
  });
});
