// What `check` says of Vaults.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import { startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { looksAtVault } from '../../src/checks/vault.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let directory: string;
let certificates: Certificates;
let vault: FakeVault;
let on: CheckBench;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-check-vault-'));
  certificates = makeCertificates(directory);
  vault = await startVault({
    key: readFileSync(certificates.keyFile, 'utf8'),
    cert: readFileSync(certificates.certificateFile, 'utf8'),
  });
});
afterAll(async () => {
  await vault.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const knobs = (): Record<string, string> => ({
  VAULT_CREDMON_PROVIDER_NAMES: 'dune, cms',
  SEC_CREDENTIAL_STORER: '/usr/bin/condor_credential_storer',
  TRUSTED_VAULT_HOSTS: 'localhost',
  CREDMON_VAULT_PORTS: String(vault.port),
  AUTH_SSL_CLIENT_CAFILE: certificates.caFile,
});

it('is silent where no Vault is configured', async () => {
  expect(await on.findings({}, looksAtVault)).toEqual([]);
});

it('R45 tells whose tokens are read, and asks each host for its health without a token', async () => {
  const before = vault.requests.length;
  expect(
    await on.findings({ ...knobs(), TRUSTED_VAULT_HOSTS: 'localhost, 127.0.0.1' }, looksAtVault),
  ).toEqual([
    'ok Vault: reads the tokens of dune, cms every 1200 s, with at least 2400 s left; a handle borrows the Vault token of its service',
    `ok Vault: https://localhost:${vault.port} answers`,
    `ok Vault: https://127.0.0.1:${vault.port} answers`,
  ]);
  expect(
    vault.requests.slice(before).map(({ method, path, token }) => ({ method, path, token })),
  ).toEqual([1, 2].map(() => ({ method: 'GET', path: '/v1/sys/health', token: undefined })));
});

it.each<[string, () => Record<string, string>, RegExp]>([
  [
    'no host',
    () => ({ TRUSTED_VAULT_HOSTS: '' }),
    /^error Vault: no host is trusted, so none is asked: set TRUSTED_VAULT_HOSTS$/,
  ],
  [
    'a host that is not there',
    () => ({ CREDMON_VAULT_PORTS: '1' }),
    /^error Vault: cannot reach https:\/\/localhost:1: ECONNREFUSED$/,
  ],
  [
    'a URL in place of a host',
    () => ({ TRUSTED_VAULT_HOSTS: 'https://vault.example.org:8200' }),
    /^error Vault: no token fits https:\/\/vault\.example\.org:8200 in TRUSTED_VAULT_HOSTS: write vault\.example\.org; the port goes into CREDMON_VAULT_PORTS$/,
  ],
  [
    'a host with its port',
    () => ({ TRUSTED_VAULT_HOSTS: 'vault.example.org:8200' }),
    /^error Vault: no token fits vault\.example\.org:8200 .*: write vault\.example\.org; the port/,
  ],
  [
    'an authority that is not known',
    () => ({ AUTH_SSL_CLIENT_CAFILE: certificates.certificateFile }),
    /^error Vault: cannot reach https:\/\/localhost:\d+: .*(?:CERT|VERIFY|SIGNED|ISSUER)/,
  ],
  [
    'authorities that are not there',
    () => ({ AUTH_SSL_CLIENT_CAFILE: '/no/such.pem' }),
    /^error Vault: the authorities in \/no\/such\.pem are not there/,
  ],
  [
    'a pattern',
    () => ({ TRUSTED_VAULT_HOSTS: '*.example' }),
    /^warning Vault: \*\.example in TRUSTED_VAULT_HOSTS is not a host name/,
  ],
  [
    'no storer',
    () => ({ SEC_CREDENTIAL_STORER: '' }),
    /^warning Vault: SEC_CREDENTIAL_STORER is not set/,
  ],
  [
    'a host that nobody uses',
    () => ({ SEC_CREDENTIAL_STORER: '', VAULT_CREDMON_PROVIDER_NAMES: '' }),
    /^warning Vault: a host is trusted, but/,
  ],
  [
    'R18 a short life',
    () => ({ CREDMON_OAUTH_TOKEN_MINIMUM: '1200' }),
    /^warning Vault: a job may read a token with only 240 s left/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await on.findings({ ...knobs(), ...change() }, looksAtVault);
  expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
});

it('authorities that are not there are one error, not one for each host', async () => {
  const change = {
    AUTH_SSL_CLIENT_CAFILE: '/no/such.pem',
    TRUSTED_VAULT_HOSTS: 'localhost, 127.0.0.1',
  };
  const findings = await on.findings({ ...knobs(), ...change }, looksAtVault);
  expect(findings.filter((line) => line.startsWith('error'))).toHaveLength(1);
});
