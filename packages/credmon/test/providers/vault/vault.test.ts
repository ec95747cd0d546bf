// The Vault provider in whole passes against a Vault that speaks TLS: issue, renew,
// revoke, outage, odd answers, and what users may store.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import {
  nameOf,
  startVault,
  type FakeVault,
  type VaultFault,
} from '@credmon/test-fixtures/servers/fake-vault';
import { misleadNames } from '@credmon/test-fixtures/servers/misled-names';
import { listenSilently as silence } from '@credmon/test-fixtures/servers/silent-server';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { bench, type Bench } from '../../support/bench.ts';

let directory: string;
let certificates: Certificates;
let vault: FakeVault;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-vault-'));
  certificates = makeCertificates(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tls = (): { key: string; cert: string } => ({
  key: readFileSync(certificates.keyFile, 'utf8'),
  cert: readFileSync(certificates.certificateFile, 'utf8'),
});
beforeEach(async () => {
  vault = await startVault(tls());
});
afterEach(() => vault.close());

function start(knobs: Readonly<Record<string, string>> = {}): Bench {
  return bench({
    knobs: {
      VAULT_CREDMON_PROVIDER_NAMES: 'dune, cms',
      TRUSTED_VAULT_HOSTS: 'LOCALHOST, 127.0.0.1',
      CREDMON_VAULT_PORTS: String(vault.port),
      AUTH_SSL_CLIENT_CAFILE: certificates.caFile,
      ...knobs,
    },
  });
}

const pass = async (on: Bench): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const url = (path: string, host = 'localhost'): string => `https://${host}:${vault.port}${path}`;

/**
 * Logs in at the Vault and stores what the storer would; answers with the Vault token.
 */
function store(on: Bench, stem = 'dune', more: object = {}): string {
  const { token, path } = vault.login('alice', 'dune');
  on.seed('alice', stem, {
    top: JSON.stringify({ vault_token: token, vault_url: url(path), ...more }),
  });
  return token;
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('a token from the Vault', () => {
  it('R20 is written bare, from one read with the header and minimum_seconds', async () => {
    const on = start();
    const token = store(on);
    const nextIn = await pass(on);
    const use = on.read('alice', 'dune.use');
    expect(use).toMatch(/^[\w.-]+\n$/);
    expect(claimsOf(use)).toMatchObject({ sub: 'alice' });
    expect(
      vault.requests.map(({ method, path, query, token: sent }) => ({ method, path, query, sent })),
    ).toEqual([
      {
        method: 'GET',
        path: '/v1/secret/oauth-dune/creds/alice:default',
        query: { minimum_seconds: '2400' },
        sent: nameOf(token),
      },
    ]);
    expect(nextIn).toBeGreaterThan(900);
    expect(nextIn).toBeLessThanOrEqual(1201);
    expect(on.lines).toContainEqual(
      expect.stringContaining('Successfully renewed alice/dune (vault)'),
    );
  });

  it('is read again after CREDMON_OAUTH_TOKEN_REFRESH, not before, for any lifetime', async () => {
    const on = start({ CREDMON_OAUTH_TOKEN_MINIMUM: '600', CREDMON_OAUTH_TOKEN_REFRESH: '100' });
    store(on);
    await pass(on);
    on.clock.advance(70);
    await pass(on);
    expect(vault.requests.length).toBe(1);
    on.clock.advance(31);
    await pass(on);
    expect(vault.requests.map(({ query }) => query)).toEqual([
      { minimum_seconds: '600' },
      { minimum_seconds: '600' },
    ]);
  });

  it.each([
    ['', undefined],
    ['team/dune', 'team/dune'],
  ])('R26 the namespace %j comes from the configuration alone', async (knob, sent) => {
    const on = start({ CREDMON_VAULT_NAMESPACE: knob });
    store(on, 'dune', { namespace: 'evil', vault_namespace: 'evil' });
    await pass(on);
    expect(vault.requests.map(({ headers }) => headers['x-vault-namespace'])).toEqual([sent]);
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it('that the Vault made long ago is not fetched at every scan', async () => {
    const on = start();
    store(on);
    vault.setTokenTtl(2500);
    await pass(on);
    on.clock.advance(700);
    expect(await pass(on)).toBe(Number.POSITIVE_INFINITY);
    expect(vault.requests.length).toBe(1);
  });

  it.each(['jwt', 'opaque'] as const)('%s: a newer .top is noticed', async (tokenFormat) => {
    await vault.close();
    vault = await startVault({ ...tls(), tokenFormat });
    const on = start();
    store(on);
    await pass(on);
    const again = store(on);
    const soon = on.clock.now() + 2;
    utimesSync(join(on.directory, 'alice/dune.top'), soon, soon);
    await pass(on);
    expect(vault.requests.map(({ token }) => token).at(-1)).toBe(nameOf(again));
    expect(vault.requests.length).toBe(2);
  });

  it.each([
    ['/creds/', 'audience'],
    ['/sts/', 'audiences'],
  ])('below %s the stored scopes and %s are asked for', async (part, name) => {
    const on = start();
    const { token, path } = vault.login('alice', 'dune');
    const top = {
      vault_token: token,
      vault_url: url(path.replace('/creds/', part)),
      scopes: 'storage.read:/a, storage.create:/b',
      audience: 'https://one.example https://two.example',
    };
    on.seed('alice', 'dune', { top: JSON.stringify(top) });
    await pass(on);
    expect(vault.requests[0]?.query).toEqual({
      minimum_seconds: '2400',
      scopes: 'storage.read:/a,storage.create:/b',
      [name]: 'https://one.example,https://two.example',
    });
    expect(claimsOf(on.read('alice', 'dune.use'))).toMatchObject({
      aud: ['https://one.example', 'https://two.example'],
    });
    expect(JSON.parse(on.read('alice', 'dune.top'))).toEqual(top);
  });
});

describe('a handle', () => {
  const handle = (on: Bench, more: object = {}): void => {
    const { vault_url } = JSON.parse(on.read('alice', 'dune.top')) as { vault_url: string };
    on.seed('alice', 'dune_h1', { top: JSON.stringify({ vault_url, ...more }) });
  };

  it("uses its parent's Vault token with its own scopes", async () => {
    const on = start();
    const token = store(on);
    handle(on, { scopes: 'compute.read' });
    await pass(on);
    expect(claimsOf(on.read('alice', 'dune_h1.use'))).toMatchObject({ scope: 'compute.read' });
    expect(vault.requests.map((request) => request.token)).toEqual([nameOf(token), nameOf(token)]);
  });

  it('R31 is removed when its parent is missing, with an audit line', async () => {
    const on = start();
    store(on);
    handle(on);
    rmSync(join(on.directory, 'alice/dune.top'));
    await pass(on);
    expect(on.has('alice', 'dune_h1.top')).toBe(false);
    expect(on.lines).toContainEqual(
      expect.stringMatching(/^warn Audit: removed alice\/dune_h1 \(vault\)/),
    );
    expect(vault.requests).toEqual([]);
  });

  it('is kept when its parent is only invalid, and is retried when that is stored again', async () => {
    const on = start();
    store(on);
    handle(on);
    on.seed('alice', 'dune', { top: '[]' });
    await pass(on);
    expect([on.has('alice', 'dune_h1.top'), on.has('alice', 'dune_h1.use')]).toEqual([true, false]);
    store(on);
    on.clock.advance(3600);
    await pass(on);
    expect(on.has('alice', 'dune_h1.use')).toBe(true);
  });
});

describe('a revoked Vault token', () => {
  it('R9 R31 "permission denied" removes .top and .use, with an audit line and no secret in it', async () => {
    const on = start();
    const token = store(on);
    await pass(on);
    vault.revoke(token);
    on.clock.advance(1300);
    await pass(on);
    expect(
      ['dune.top', 'dune.use', '.dune.renewal'].filter((name) => on.has('alice', name)),
    ).toEqual([]);
    const audit = on.lines.filter((line) => line.includes('Audit'));
    expect(audit).toEqual([expect.stringContaining('warn Audit: removed alice/dune (vault)')]);
    expect(on.lines.join('\n')).not.toContain(token);
  });

  it('R9 is recognised even if the Vault token is a part of the error text', async () => {
    const on = start();
    const { path } = vault.login('alice', 'dune');
    on.seed('alice', 'dune', {
      top: JSON.stringify({ vault_token: 'permission', vault_url: url(path) }),
    });
    await pass(on);
    expect(on.has('alice', 'dune.top')).toBe(false);
  });

  it('a token stored meanwhile is not removed', async () => {
    const on = start();
    const { token: dead, path } = vault.login('alice', 'dune');
    vault.revoke(dead);
    on.seed('alice', 'dune', { top: JSON.stringify({ vault_token: dead, vault_url: url(path) }) });
    const begun = await beginPass(on.context, on.lookup, on.memory);
    const { token } = vault.login('alice', 'dune');
    const fresh = join(on.directory, 'alice/fresh');
    writeFileSync(fresh, JSON.stringify({ vault_token: token, vault_url: url(path) }), {
      mode: 0o600,
    });
    renameSync(fresh, join(on.directory, 'alice/dune.top'));
    await begun.settled;
    expect(on.has('alice', 'dune.top')).toBe(true);
    await pass(on);
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it.each(['forbidden-html', 'no-credential'] as const)(
    '%s is not a revocation: nothing is removed',
    async (fault) => {
      const on = start();
      store(on);
      vault.setFault(fault);
      await pass(on);
      expect(on.has('alice', 'dune.top')).toBe(true);
    },
  );
});

describe('R14 an invalid answer or an outage keeps the old token and is retried', () => {
  const cases: [VaultFault, RegExp][] = [
    ['sealed', /status 503 \(Vault is sealed\)/],
    ['too-many', /status 429.*tried again in (77|78) s/],
    ['server-error', /status 500/],
    ['data-null', /no data/],
    ['token-object', /: no access_token/],
    ['token-number', /is not a bearer token/],
    ['token-with-line-feed', /control characters/],
    ['no-token', /: no access_token/],
    ['not-an-object', /no data/],
    ['html', /no data/],
    ['empty', /no data/],
    ['huge', /larger than/],
    ['redirect', /status 307/],
    ['echo', /the token \[\.\.\.\] is odd/],
  ];
  it.each(cases)('%s', async (fault, line) => {
    const on = start();
    const token = store(on);
    await pass(on);
    const before = on.read('alice', 'dune.use');
    vault.setFault(fault);
    on.clock.advance(1300);
    await pass(on);
    expect(on.lines.at(-2)).toMatch(line);
    expect([on.read('alice', 'dune.use'), on.has('alice', 'dune.top')]).toEqual([before, true]);
    expect(on.lines.join('\n')).not.toContain(token);
    vault.setFault();
    on.clock.advance(3600);
    await pass(on);
    expect(on.lines.at(-1)).toContain('Successfully renewed alice/dune');
  });

  it('R1 five tokens of a hanging server do not delay others', async () => {
    const silent = await listenSilently();
    const on = start({
      CREDMON_VAULT_PORTS: `${vault.port}, ${silent.port}`,
      CREDMON_CONNECT_TIMEOUT: '1',
    });
    for (const user of ['u1', 'u2', 'u3', 'u4', 'u5']) {
      const top = {
        vault_token: 'hvs.x',
        vault_url: `https://127.0.0.1:${silent.port}/v1/a/creds/b`,
      };
      on.seed(user, 'dune', { top: JSON.stringify(top) });
    }
    store(on);
    const begun = await beginPass(on.context, on.lookup, on.memory);
    const raced = await Promise.race([
      begun.settled.then(() => 'all'),
      (async () => {
        while (!on.has('alice', 'dune.use')) await new Promise((resolve) => setImmediate(resolve));
        return 'alice';
      })(),
    ]);
    expect(raced).toBe('alice');
    await begun.settled;
    expect(
      on.lines.filter((line) => /u\d\/dune: .*UND_ERR_CONNECT_TIMEOUT/.test(line)).length,
    ).toBe(5);
    await silent.close();
  });
});

describe('R26 the .top of a user', () => {
  const secret = { vault_token: 'hvs.CANARY-secret' };
  const cases: [string, (port: number) => unknown, RegExp][] = [
    ['http', (port) => `http://localhost:${port}/v1/x/creds/y`, /must begin with https/],
    [
      'another host',
      (port) => `https://evil.example:${port}/v1/x/creds/y`,
      /not in TRUSTED_VAULT_HOSTS/,
    ],
    [
      'a host with the same ending',
      (port) => `https://x.localhost:${port}/v1/x`,
      /not in TRUSTED_VAULT_HOSTS/,
    ],
    ['user information', (port) => `https://localhost@127.0.0.1:${port}/v1/x`, /user information/],
    ['another port', () => 'https://localhost:22/v1/x', /port is not in/],
    ['no port', () => 'https://localhost/v1/x', /port is not in/],
    ['another path', (port) => `https://localhost:${port}/ui/x`, /below \/v1\//],
    ['a path with ".."', (port) => `https://localhost:${port}/v1/../sys/x`, /below \/v1\//],
    [
      'a path with an encoded ".."',
      (port) => `https://localhost:${port}/v1/..%2fsys`,
      /below \/v1\//,
    ],
    [
      "the server's own health",
      (port) => `https://localhost:${port}/v1/sys/health?activecode=429`,
      /creds/,
    ],
    ["the server's own paths", (port) => `https://localhost:${port}/v1/sys/x/creds/y`, /creds/],
    ['a login path', (port) => `https://localhost:${port}/v1/auth/x/creds/y`, /creds/],
    ['an encoded mount', (port) => `https://localhost:${port}/v1/s%79s/creds/y`, /creds/],
    ['a mount without a credential', (port) => `https://localhost:${port}/v1/x/creds/`, /creds/],
    ['a query', (port) => `https://localhost:${port}/v1/x/creds/y?activecode=429`, /its query/],
    ['a fragment', (port) => `https://localhost:${port}/v1/x#y`, /fragment/],
    ['no URL', () => 'localhost', /not a URL/],
    ['an integer', () => 5, /has no "vault_url" text/],
  ];
  it.each(cases)('%s as vault_url: nothing is sent', async (_, vaultUrl, line) => {
    const on = start();
    on.seed('mallory', 'dune', {
      top: JSON.stringify({ ...secret, vault_url: vaultUrl(vault.port) }),
    });
    store(on);
    await pass(on);
    expect(on.lines.join('\n')).toMatch(line);
    expect(on.lines.join('\n')).not.toContain('CANARY');
    expect(vault.requests.map(({ token }) => token)).not.toContain(nameOf(secret.vault_token));
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it.each([
    '5',
    'null',
    '[]',
    '',
    '{}',
    '{"vault_url":"https://localhost/v1/x","vault_token":7}',
    '{"vault_token":"x"}',
  ])('a .top of %j stops nobody else', async (top) => {
    const on = start();
    on.seed('mallory', 'dune', { top });
    store(on);
    await pass(on);
    expect(on.has('alice', 'dune.use')).toBe(true);
    expect(vault.requests.length).toBe(1);
  });

  it('a Vault token with a line break is not sent', async () => {
    const on = start();
    on.seed('mallory', 'dune', {
      top: JSON.stringify({ vault_token: 'a\r\nx-evil: CANARY', vault_url: url('/v1/x/creds/y') }),
    });
    await pass(on);
    expect(vault.requests).toEqual([]);
    expect(on.lines.join('\n')).not.toContain('CANARY');
  });

  it('without a configured Vault nothing is sent, and the log names the missing knob', async () => {
    const on = start({ TRUSTED_VAULT_HOSTS: '' });
    store(on);
    await pass(on);
    expect(vault.requests).toEqual([]);
    expect(on.lines.at(-2)).toMatch(/TRUSTED_VAULT_HOSTS.*administrator must act/);
  });

  it("the server in htgettoken's options is a configured one", async () => {
    const on = start({
      TRUSTED_VAULT_HOSTS: '',
      CREDMON_VAULT_PORTS: '',
      SEC_CREDENTIAL_GETTOKEN_OPTS: `-q -a https://localhost:${vault.port}`,
    });
    store(on);
    await pass(on);
    expect(on.has('alice', 'dune.use')).toBe(true);
  });
});

it('the second address of a Vault is tried after two seconds without an answer, not earlier', async () => {
  const endings = [await silence('127.0.0.2', vault.port), misleadNames('127.0.0.2', '127.0.0.1')];
  const on = start();
  store(on);
  const began = performance.now();
  await pass(on);
  const took = (performance.now() - began) / 1000;
  for (const end of endings) end();
  expect([on.has('alice', 'dune.use'), took >= 1.9]).toEqual([true, true]);
});

describe('trust in TLS certificates', () => {
  it('nothing is sent to a name that resolves to another host: its certificate does not match', async () => {
    const folder = join(directory, 'other');
    mkdirSync(folder, { recursive: true });
    const stranger = makeCertificates(folder);
    const on = start({ AUTH_SSL_CLIENT_CAFILE: stranger.caFile });
    store(on);
    await pass(on);
    expect(vault.requests).toEqual([]);
    expect(on.lines.at(-2)).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('a directory of certificate authorities works, too', async () => {
    const folder = join(directory, 'authorities');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'abcd1234.0'), certificates.ca);
    const on = start({ AUTH_SSL_CLIENT_CAFILE: '', AUTH_SSL_CLIENT_CADIR: folder });
    store(on);
    await pass(on);
    expect(on.has('alice', 'dune.use')).toBe(true);
  });

  it('a changed authority file is used at once, a missing one is reported with its knob', async () => {
    const caFile = join(directory, 'changing.pem');
    rmSync(caFile, { force: true });
    const on = start({ AUTH_SSL_CLIENT_CAFILE: caFile });
    store(on);
    await pass(on);
    expect(on.lines.at(-2)).toMatch(/changing\.pem \(ENOENT\); see AUTH_SSL_CLIENT_CAFILE/);
    writeFileSync(caFile, certificates.ca);
    on.clock.advance(3600);
    await pass(on);
    expect(on.has('alice', 'dune.use')).toBe(true);
  });
});

/** A port that accepts and says nothing. */
async function listenSilently(): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
