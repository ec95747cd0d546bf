// The Vault's knobs, and the one exception to a name having one list.
import { loadConfig } from '@credmon/core/config';
import { describe, expect, it } from 'vitest';
import { readSettings, type Settings } from '../../src/settings/read.ts';
import { vaultServerOf } from '../../src/settings/vault.ts';
import { ownerOf } from '../../src/settings/lists.ts';

function settingsOf(knobs: Readonly<Record<string, string>>): Settings {
  const all = { SEC_CREDENTIAL_DIRECTORY_OAUTH: '/creds', LOG: '/log', ...knobs };
  const env = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', ...env },
    facts: { fullHostname: () => 'ap.example' },
  });
  return readSettings(config, {
    credDir: undefined,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
}

describe("the Vault's knobs", () => {
  it('have defaults without trusted hosts', () => {
    expect(settingsOf({}).vault).toEqual({
      hosts: [],
      ports: [8200],
      minimumSeconds: 2400,
      refreshSeconds: 1200,
      namespace: '',
      caFile: undefined,
      caDirectory: undefined,
    });
  });

  it('hosts are case-insensitive and without brackets; the refresh follows the minimum', () => {
    const { hosts, ports, refreshSeconds } = settingsOf({
      TRUSTED_VAULT_HOSTS: 'Vault.Example, [::1]',
      CREDMON_VAULT_PORTS: '8200 443',
      CREDMON_OAUTH_TOKEN_MINIMUM: '600',
    }).vault;
    expect({ hosts, ports, refreshSeconds }).toEqual({
      hosts: ['vault.example', '::1'],
      ports: [8200, 443],
      refreshSeconds: 300,
    });
  });

  it.each(['eight', '0', '70000', '8200 x'])('ports of %j are a mistake', (ports) => {
    expect(() => settingsOf({ CREDMON_VAULT_PORTS: ports })).toThrow(
      /CREDMON_VAULT_PORTS is not a list of port/,
    );
  });

  it.each(['a b', 'a\u00e4', 'a:b'])('a namespace of %j is a mistake', (namespace) => {
    expect(() => settingsOf({ CREDMON_VAULT_NAMESPACE: namespace })).toThrow(
      /CREDMON_VAULT_NAMESPACE is not a namespace/,
    );
  });

  it.each([
    ['-a vault.example', { host: 'vault.example' }],
    ['-q --vaultserver=https://vault.example:8300 -d', { host: 'vault.example', port: 8300 }],
    ['--vaultserver Vault.Example', { host: 'vault.example' }],
    ['-i issuer', undefined],
    ['', undefined],
  ])('the server in %j', (options, server) => {
    expect(vaultServerOf(options)).toEqual(server);
  });
});

describe('CREDMON_DEVICE_PROVIDER_NAMES', () => {
  const client = { mytok_CLIENT_ID: 'me', mytok_TOKEN_URL: 'https://issuer.example/token' };
  const names = { ...client, CREDMON_DEVICE_PROVIDER_NAMES: 'mytok' };
  const both = { ...names, VAULT_CREDMON_PROVIDER_NAMES: 'mytok, dune' };
  const facts = { hasClient: true, vaultEnabled: true };

  it.each([
    ['mytok', 'oauth2'],
    ['mytok_h1', 'oauth2'],
    ['dune', 'vault'],
  ])("R19 %s, of the Vault's list, belongs to %s", (stem, kind) => {
    expect(ownerOf(stem, settingsOf(both).lists, facts).kind).toBe(kind);
    const listed = settingsOf({ ...both, OAUTH2_CREDMON_PROVIDER_NAMES: 'other' });
    expect(ownerOf(stem, listed.lists, facts).kind).toBe(kind);
  });

  it("R19 allows only the Vault's list as a second list", () => {
    expect(() => settingsOf({ ...both, OAUTH2_CREDMON_PROVIDER_NAMES: 'mytok' })).toThrow(
      /both list mytok/,
    );
    expect(() => settingsOf({ ...both, CLIENT_CREDMON_PROVIDER_NAMES: 'mytok' })).toThrow(
      /both list mytok/,
    );
    expect(() => settingsOf({ ...names, PELICAN_CREDMON_PROVIDER_NAMES: 'mytok' })).toThrow(
      /both list mytok/,
    );
  });

  it.each([
    ['nothing', {}],
    ['a client alone', { mytok_CLIENT_ID: 'c' }],
    ['an issuer alone', { CREDMON_mytok_ISSUER: 'https://issuer.example' }],
  ])('needs a client and its issuer, and has %s', (_, knobs) => {
    expect(() => settingsOf({ CREDMON_DEVICE_PROVIDER_NAMES: 'mytok', ...knobs })).toThrow(
      /lists mytok, but mytok_CLIENT_ID and mytok_TOKEN_URL \(or CREDMON_mytok_ISSUER\) are not both set/,
    );
  });

  it.each([
    ['the name of the issuer', { CREDMON_mytok_ISSUER: 'https://issuer.example' }],
    ['a profile with an issuer', { CREDMON_mytok_PROFILE: 'globus' }],
  ])('needs no token URL if %s is set', (_, knobs) => {
    const client = { mytok_CLIENT_ID: 'c', VAULT_CREDMON_PROVIDER_NAMES: 'mytok', ...knobs };
    const { warnings, clients } = settingsOf({ CREDMON_DEVICE_PROVIDER_NAMES: 'mytok', ...client });
    expect([warnings, [...clients.keys()]]).toEqual([[], ['MYTOK']]);
  });

  it('warns about a name that condor_submit would not pass to the storer', () => {
    expect(settingsOf(names).warnings.join()).toMatch(/condor_submit will not start its login/);
    expect(settingsOf(both).warnings.join()).not.toMatch(/mytok/);
  });
});
