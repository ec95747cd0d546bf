// The life of tokens from a Vault over TLS, under one running daemon.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { nameOf, startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { claimsOf } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonLog } from './daemon-runs.ts';
import { startLife, type Life } from './provider-life.ts';

let workspace: Workspace;
let caFile: string;
let nextCa: string;
let vault: FakeVault;
let next: FakeVault;
let life: Life;

/** A Vault with a certificate of an authority of its own; answers with that, too. */
async function vaultWithAuthority(name: string): Promise<[FakeVault, string]> {
  const folder = join(workspace.root, name);
  mkdirSync(folder);
  const { keyFile, certificateFile, ca } = makeCertificates(folder);
  const tls = { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certificateFile, 'utf8') };
  return [await startVault(tls), ca];
}
beforeAll(async () => {
  workspace = createWorkspace();
  const [first, ca] = await vaultWithAuthority('first');
  vault = first;
  [next, nextCa] = await vaultWithAuthority('next');
  caFile = join(workspace.root, 'authority.pem');
  writeFileSync(caFile, ca);
  workspace.configure({
    VAULT_CREDMON_PROVIDER_NAMES: 'dune',
    TRUSTED_VAULT_HOSTS: 'localhost',
    CREDMON_VAULT_PORTS: `${vault.port}, ${next.port}`,
    AUTH_SSL_CLIENT_CAFILE: caFile,
    CREDMON_OAUTH_TOKEN_MINIMUM: 60,
  });
  life = await startLife(workspace);
});
afterAll(async () => {
  await life.daemon.stop();
  await Promise.all([vault.close(), next.close()]);
  workspace.remove();
});

/** Stores what the storer would; answers with the Vault token. */
function store(token: string, at: FakeVault = vault, host = 'localhost'): string {
  const { token: vaultToken, path } = at.login(token.split('/')[0] ?? '', 'dune');
  life.store(token, { vault_token: vaultToken, vault_url: `https://${host}:${at.port}${path}` });
  return vaultToken;
}
/** A token that has been issued; answers with `.use`. */
async function issued(token: string): Promise<string> {
  store(token);
  return life.changed(token);
}

describe('a token from a Vault', () => {
  it('issue: it is read with the stored Vault token, and written bare', async () => {
    expect(claimsOf((await issued('alice/dune')).trim())).toMatchObject({ sub: 'alice' });
  });

  it('renew: again and again by itself', async () => {
    vault.setTokenTtl(2);
    const second = await life.changed('bob/dune', await issued('bob/dune'));
    vault.setTokenTtl(10_800);
    expect(await life.changed('bob/dune', second)).not.toBe('');
  });

  it('refuse: a server that the administrator did not name is not asked, and that is told', async () => {
    const asked = vault.requests.length;
    store('carol/dune', vault, '127.0.0.1');
    await life.failed('carol/dune', 'ENDPOINT_REFUSED');
    await life.logged('carol/dune: invalid vault_url in .top');
    expect([life.use('carol/dune'), vault.requests.length]).toEqual(['', asked]);
  });

  it('R31 revoke: a revoked Vault token takes .top and .use with it, so that the next submit asks for a login', async () => {
    const vaultToken = store('dave/dune');
    await life.changed('dave/dune');
    vault.revoke(vaultToken);
    life.again('dave/dune');
    await life.logged('Audit: removed dave/dune (vault)');
    await waitUntil(() => life.use('dave/dune') === '', { what: 'the removal' });
    expect(await issued('dave/dune')).not.toBe('');
  });

  it('outage: a sealed Vault leaves the old token, and it ends by itself', async () => {
    const before = await issued('erin/dune');
    vault.setFault('sealed');
    life.again('erin/dune');
    await life.failed('erin/dune', 'ISSUER_UNREACHABLE');
    expect(life.use('erin/dune')).toBe(before);
    vault.setFault();
    // The Vault gives the same token again, so that the end of the failure is what can be
    // seen.
    await waitUntil(() => daemonLog(workspace).match(/renewed erin\/dune/g)?.length === 2, {
      what: 'the end',
    });
  });

  it('bad answer: HTML instead of a secret changes nothing, and the next good one counts', async () => {
    const before = await issued('frank/dune');
    vault.setFault('html');
    life.again('frank/dune');
    await life.failed('frank/dune', 'ISSUER_ANSWER_INVALID');
    expect(life.use('frank/dune')).toBe(before);
    vault.setFault();
    await waitUntil(() => daemonLog(workspace).match(/renewed frank\/dune/g)?.length === 2, {
      what: 'the end',
    });
  });

  it('R29 rollover: a newly stored Vault token is the one that is sent', async () => {
    await issued('grace/dune');
    const second = store('grace/dune');
    await waitUntil(() => vault.requests.at(-1)?.token === nameOf(second), {
      what: 'the new Vault token',
    });
    expect(readJson(life.path('grace/dune', 'top'))['vault_token']).toBe(second);
  });

  it('R45 rollover: a Vault with a new certificate is believed as soon as its authority is in the file', async () => {
    store('heidi/dune', next);
    await life.failed('heidi/dune', 'ISSUER_UNREACHABLE');
    expect(next.requests).toEqual([]);
    writeFileSync(caFile, nextCa);
    await life.changedOnCall('heidi/dune', '');
  });
});

it('R43 after all of this no secret is in the log', () => {
  expect(daemonLog(workspace)).not.toContain('CANARY');
});
