// What `check` says of Vaults.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import { startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { vaultChecks } from '../../src/checks/vault.ts';
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

it('has no finding if no Vault is configured', async () => {
  expect(await on.findings({}, vaultChecks)).toEqual([]);
});

it.each([
  ['', ['warning Vault: SEC_CREDENTIAL_STORER is not set: condor_submit does not start a login']],
  ['/usr/bin/condor_credential_storer', []],
])('needs no Vault if all of its names log in by device; storer: %j', async (storer, expected) => {
  const device = {
    VAULT_CREDMON_PROVIDER_NAMES: 'mytok',
    CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
    mytok_CLIENT_ID: 'client',
    CREDMON_mytok_ISSUER: 'https://issuer.example',
    ...(storer === '' ? {} : { SEC_CREDENTIAL_STORER: storer }),
  };
  expect(await on.findings(device, vaultChecks)).toEqual(expected);
});

it('R45 shows the services, and asks each host for its health without a token', async () => {
  const before = vault.requests.length;
  expect(
    await on.findings({ ...knobs(), TRUSTED_VAULT_HOSTS: 'localhost, 127.0.0.1' }, vaultChecks),
  ).toEqual([
    'ok Vault: reads the tokens of dune, cms every 1200 s, with at least 2400 s left; a handle uses the Vault token of its service',
    `ok Vault: https://localhost:${vault.port} is reachable`,
    `ok Vault: https://127.0.0.1:${vault.port} is reachable`,
  ]);
  expect(
    vault.requests.slice(before).map(({ method, path, token }) => ({ method, path, token })),
  ).toEqual([1, 2].map(() => ({ method: 'GET', path: '/v1/sys/health', token: undefined })));
});

it.each<[string, () => Record<string, string>, RegExp]>([
  [
    'no host',
    () => ({ TRUSTED_VAULT_HOSTS: '' }),
    /^error Vault: no host is trusted: set TRUSTED_VAULT_HOSTS$/,
  ],
  [
    'an unreachable host',
    () => ({ CREDMON_VAULT_PORTS: '1' }),
    /^error Vault: cannot reach https:\/\/localhost:1: connection refused by localhost, port 1 \(ECONNREFUSED\); fix: correct host and port, or start the server there$/,
  ],
  [
    'a URL instead of a host',
    () => ({ TRUSTED_VAULT_HOSTS: 'https://vault.example.org:8200' }),
    /^error Vault: invalid host https:\/\/vault\.example\.org:8200 in TRUSTED_VAULT_HOSTS: write vault\.example\.org; ports are set in CREDMON_VAULT_PORTS$/,
  ],
  [
    'a host with its port',
    () => ({ TRUSTED_VAULT_HOSTS: 'vault.example.org:8200' }),
    /^error Vault: invalid host vault\.example\.org:8200 .*: write vault\.example\.org; ports/,
  ],
  [
    'an unknown certificate authority',
    () => ({ AUTH_SSL_CLIENT_CAFILE: certificates.certificateFile }),
    /^error Vault: cannot reach https:\/\/localhost:\d+: .*(?:CERT|VERIFY|SIGNED|ISSUER)/,
  ],
  [
    'missing certificate authorities',
    () => ({ AUTH_SSL_CLIENT_CAFILE: '/no/such.pem' }),
    /^error Vault: the certificate authorities \/no\/such\.pem are missing/,
  ],
  [
    'a pattern',
    () => ({ TRUSTED_VAULT_HOSTS: '*.example' }),
    /^warning Vault: \*\.example in TRUSTED_VAULT_HOSTS is not a host name/,
  ],
  [
    'single quotes around the server',
    () => ({
      TRUSTED_VAULT_HOSTS: '',
      SEC_CREDENTIAL_GETTOKEN_OPTS: "-a 'vault.example.org'",
    }),
    /^error Vault: quotes in SEC_CREDENTIAL_GETTOKEN_OPTS are not removed; fix: SEC_CREDENTIAL_GETTOKEN_OPTS = -a vault\.example\.org$/,
  ],
  [
    'double quotes around all options',
    () => ({ SEC_CREDENTIAL_GETTOKEN_OPTS: '"-a vault.example.org:8200"' }),
    /^error Vault: quotes in SEC_CREDENTIAL_GETTOKEN_OPTS .* = -a vault\.example\.org:8200$/,
  ],
  [
    'no storer',
    () => ({ SEC_CREDENTIAL_STORER: '' }),
    /^warning Vault: SEC_CREDENTIAL_STORER is not set/,
  ],
  [
    'a host without a provider',
    () => ({ SEC_CREDENTIAL_STORER: '', VAULT_CREDMON_PROVIDER_NAMES: '' }),
    /^warning Vault: a host is trusted, but/,
  ],
  [
    'R18 a short lifetime',
    () => ({ CREDMON_OAUTH_TOKEN_MINIMUM: '1200' }),
    /^warning Vault: a job may read a token with only 240 s left/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await on.findings({ ...knobs(), ...change() }, vaultChecks);
  expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
});

it('quotes are one error, with the knob that has them', async () => {
  const change = { TRUSTED_VAULT_HOSTS: '', SEC_CREDENTIAL_GETTOKEN_OPTS: "-a 'v.example'" };
  const findings = await on.findings({ ...knobs(), ...change }, vaultChecks);
  expect(findings.filter((line) => !line.startsWith('ok'))).toEqual([
    'error Vault: quotes in SEC_CREDENTIAL_GETTOKEN_OPTS are not removed; fix: SEC_CREDENTIAL_GETTOKEN_OPTS = -a v.example',
  ]);
});

it('missing certificate authorities are one error, not one for each host', async () => {
  const change = {
    AUTH_SSL_CLIENT_CAFILE: '/no/such.pem',
    TRUSTED_VAULT_HOSTS: 'localhost, 127.0.0.1',
  };
  const findings = await on.findings({ ...knobs(), ...change }, vaultChecks);
  expect(findings.filter((line) => line.startsWith('error'))).toHaveLength(1);
});
