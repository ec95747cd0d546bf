// The daemon and a Vault: a token's life from store to revocation, over IPv4 and IPv6,
// and no secret in any log.
import { existsSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { storeCredential } from '@credmon/test-fixtures/files/credd';
import { startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { startExecutable } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);
let workspace: Workspace;
let vault: FakeVault;

async function start(host?: string): Promise<void> {
  const { keyFile, certificateFile, caFile } = makeCertificates(workspace.root);
  const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certificateFile, 'utf8')];
  vault = await startVault({ key, cert, ...(host === undefined ? {} : { host }) });
  workspace.configure({
    VAULT_CREDMON_PROVIDER_NAMES: 'dune',
    TRUSTED_VAULT_HOSTS: 'localhost, 127.0.0.1, ::1',
    CREDMON_VAULT_PORTS: vault.port,
    AUTH_SSL_CLIENT_CAFILE: caFile,
    CREDMON_OAUTH_TOKEN_REFRESH: 10,
    CREDMON_FIRST_RETRY: 1,
    CREDMON_OAUTH_DEBUG: 'D_FULLDEBUG',
  });
}
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(async () => {
  await vault.close();
  workspace.remove();
});

const use = (): string => join(workspace.credentialDirectory, 'alice', 'dune.use');

/** Stores a Vault token as CredD would; answers with the token. */
function store(host: string): string {
  const { token, path } = vault.login('alice', 'dune');
  const top = { vault_token: token, vault_url: `https://${host}:${vault.port}${path}` };
  storeCredential(
    { directory: workspace.credentialDirectory, user: 'alice', stem: 'dune' },
    JSON.stringify(top),
  );
  return token;
}
const logged = (text: string): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).includes(text), { what: `the log line "${text}"` });

describe('a Vault token', () => {
  it('R9 R31 R43 is served, survives a sealed Vault, is read again, and is removed when revoked; no log holds a secret', async () => {
    await start();
    const token = store('localhost');
    vault.setFault('echo');
    const daemon = startDaemon(workspace);
    await logged('the token [...] is odd');
    vault.setFault('sealed');
    await logged('Vault is sealed');
    vault.setFault();
    await waitUntil(() => existsSync(use()), { what: 'the token' });
    const access = readFileSync(use(), 'utf8').trim();
    const asked = vault.requests.length;
    await waitUntil(() => vault.requests.length > asked, { what: 'the next read' });
    vault.revoke(token);
    await logged('Audit: removed alice/dune (vault)');
    await waitUntil(() => !existsSync(use()), { what: 'the removal' });
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    const texts = { ...textsBelow(workspace.logDirectory), output: daemon.output };
    expect(findSecrets({ 'Vault token': token, 'access token': access }, texts)).toEqual([]);
  });

  it.skipIf(!hasIpv6)('is read over IPv6', async () => {
    await start('::1');
    store('[::1]');
    const daemon = startDaemon(workspace, ['--once']);
    await daemon.exited;
    expect(existsSync(use())).toBe(true);
  });

  it('whose server nobody trusts is reported by status, and nothing is sent', async () => {
    await start();
    workspace.configure({ TRUSTED_VAULT_HOSTS: 'vault.example' });
    store('localhost');
    await startDaemon(workspace, ['--once']).exited;
    const status = startExecutable(
      root,
      'condor_credmon',
      ['status', '--json'],
      workspace.environment,
    );
    expect((await status.exited).code).toBe(1);
    expect(JSON.parse(status.output)).toMatchObject({
      tokens: [{ user: 'alice', provider: 'vault' }],
    });
    expect(status.output).toContain('ENDPOINT_REFUSED');
    expect(vault.requests).toEqual([]);
  });
});
