// R26 for the Vault: a Vault token goes to the Vaults that the administrator named,
// whatever a user stores and whoever answers for names.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { startVault, type FakeVault } from '@credmon/test-fixtures/servers/fake-vault';
import { misleadNames } from '@credmon/test-fixtures/servers/misled-names';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, type AccessPoint } from '../support/access-point.ts';

const folder = mkdtempSync(join(tmpdir(), 'credmon-thief-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const made = makeCertificates(folder);
const tls = {
  key: readFileSync(made.keyFile, 'utf8'),
  cert: readFileSync(made.certificateFile, 'utf8'),
};

let vault: FakeVault;
let thief: CaptureServer;
let on: AccessPoint;
let ending: (() => void) | undefined;
beforeEach(async () => {
  vault = await startVault(tls);
  thief = await startCaptureServer(tls);
  on = accessPoint();
});
afterEach(async () => {
  ending?.();
  ending = undefined;
  await Promise.all([vault.close(), thief.close(), on.close()]);
});

/** TLS stops nobody here, and neither does the port: what is left is the name. */
function configure(more: Readonly<Record<string, string>> = {}): void {
  on.configure({
    VAULT_CREDMON_PROVIDER_NAMES: 'dune',
    TRUSTED_VAULT_HOSTS: 'localhost',
    CREDMON_VAULT_PORTS: `${vault.port}, ${thief.port}`,
    AUTH_SSL_CLIENT_CAFILE: made.caFile,
    ...more,
  });
}
const store = (top: object, stem = 'dune'): void =>
  on.store(`alice/${stem}.top`, JSON.stringify(top));
const path = '/v1/secret/oauth-dune/creds/alice:default';

const spellings = (): Record<string, string> => {
  const [trusted, other] = [vault.port, thief.port];
  return {
    'its address': `https://127.0.0.1:${other}${path}`,
    'user information': `https://localhost@127.0.0.1:${other}${path}`,
    'user information with a port': `https://localhost:${trusted}@127.0.0.1:${other}${path}`,
    'a backslash': `https://127.0.0.1:${other}\\@localhost:${trusted}${path}`,
    'a fragment': `https://127.0.0.1:${other}#@localhost:${trusted}${path}`,
    'a query': `https://127.0.0.1:${other}?@localhost:${trusted}${path}`,
    'an integer for an address': `https://2130706433:${other}${path}`,
    'a short address': `https://127.1:${other}${path}`,
    'octal digits': `https://0177.0.0.1:${other}${path}`,
    'an IPv6 address that holds it': `https://[::ffff:127.0.0.1]:${other}${path}`,
    'a trailing dot': `https://localhost.:${other}${path}`,
    'a name that begins alike': `https://localhost.evil.example:${other}${path}`,
    'a tabulator in the address': `https://127.0.\t0.1:${other}${path}`,
    'plain http': `http://localhost:${other}${path}`,
    'no scheme': `//127.0.0.1:${other}${path}`,
    'three slashes': `https:///127.0.0.1:${other}${path}`,
    'no slash': `https:127.0.0.1:${other}${path}`,
  };
};
const NAMES = [
  'its address',
  'user information',
  'user information with a port',
  'a backslash',
  'a fragment',
  'a query',
  'an integer for an address',
  'a short address',
  'octal digits',
  'an IPv6 address that holds it',
  'a trailing dot',
  'a name that begins alike',
  'a tabulator in the address',
  'plain http',
  'no scheme',
  'three slashes',
  'no slash',
];

describe('R26 vault', () => {
  it.each(NAMES)(
    'a vault_url that names the capture server by %s: nothing is sent',
    async (name) => {
      configure();
      ending = misleadNames('127.0.0.1');
      const { token } = vault.login('alice', 'dune');
      store({ vault_token: token, vault_url: spellings()[name] });
      await on.pass();
      expect([thief.requests, vault.requests, on.has('alice/dune.use')]).toEqual([[], [], false]);
      expect(on.lines.join()).not.toContain('CANARY');
    },
  );

  it.each([
    ['wide letters', 'https://ｌocalhost'],
    ['percent signs', 'https://%6cocalhost'],
    ['capitals', 'HTTPS://LOCALHOST'],
  ])(
    'the trusted host written with %s and the port of the capture server: nothing is sent',
    async (_, origin) => {
      configure({ CREDMON_VAULT_PORTS: String(vault.port) });
      const { token } = vault.login('alice', 'dune');
      store({ vault_token: token, vault_url: `${origin}:${thief.port}${path}` });
      await on.pass();
      expect([thief.requests, vault.requests]).toEqual([[], []]);
      expect(on.lines.join()).toContain('its port is not in CREDMON_VAULT_PORTS');
    },
  );

  it("a handle whose vault_url is the capture server: its parent's token is not sent", async () => {
    configure();
    const { token } = vault.login('alice', 'dune');
    store({ vault_token: token, vault_url: `https://localhost:${vault.port}${path}` });
    store({ vault_url: `https://127.0.0.1:${thief.port}${path}` }, 'dune_h1');
    await on.pass();
    expect([thief.requests, on.has('alice/dune.use'), on.has('alice/dune_h1.use')]).toEqual([
      [],
      true,
      false,
    ]);
  });

  it('other fields of .top (a foreign iss, token_url, headers): only the configured Vault is asked', async () => {
    configure();
    const { token } = vault.login('alice', 'dune');
    const url = `${thief.url}/v1/x`;
    const steering = {
      iss: thief.url,
      token_url: url,
      url,
      proxy: url,
      vault_addr: url,
      headers: { host: thief.url },
    };
    store({ ...steering, vault_token: token, vault_url: `https://localhost:${vault.port}${path}` });
    await on.pass();
    expect([thief.requests, vault.requests.length, on.has('alice/dune.use')]).toEqual([
      [],
      1,
      true,
    ]);
    expect(vault.requests[0]?.headers.host).toBe(`localhost:${vault.port}`);
  });

  it.each([301, 302, 303, 307, 308])(
    'a redirect (%d) of the Vault: not followed',
    async (status) => {
      configure();
      const { token } = vault.login('alice', 'dune');
      vault.redirect(status, `https://localhost:${thief.port}${path}`);
      store({ vault_token: token, vault_url: `https://localhost:${vault.port}${path}` });
      await on.pass();
      expect([thief.requests, vault.requests.length, on.has('alice/dune.use')]).toEqual([
        [],
        1,
        false,
      ]);
    },
  );

  it.each([
    // The authority is believed, but it never certified this name; with the right name
    // the same server is asked.
    ['vault.example', [], 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['localhost', ['vault token'], 'Success'],
  ])(
    'the trusted name %s resolves to the capture server: it gets %j',
    async (host, carried, line) => {
      configure({ TRUSTED_VAULT_HOSTS: host });
      ending = misleadNames('127.0.0.1');
      const { token } = vault.login('alice', 'dune');
      store({ vault_token: token, vault_url: `https://${host}:${thief.port}${path}` });
      await on.pass();
      expect(thief.carried({ 'vault token': token })).toEqual(carried);
      expect(on.lines.join()).toContain(line);
    },
  );
});
