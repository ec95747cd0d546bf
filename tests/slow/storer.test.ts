// condor_credential_storer as a process: on a terminal, without one, and called as
// condor_submit calls it; then the daemon renews.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { answerDevicePage } from '@credmon/test-fixtures/servers/device-page';
import { installPrograms, type FakeProgram } from '@credmon/test-fixtures/processes/fake-programs';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, runOnce } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
  await issuer.addClient({
    clientId: 'public',
    clientSecret: '',
    redirectUris: ['https://ap.example/return'],
    authentication: 'none',
  });
});
afterAll(() => issuer.close());
beforeEach(() => {
  workspace = createWorkspace({
    knobs: {
      mytok_CLIENT_ID: 'public',
      mytok_TOKEN_URL: issuer.tokenUrl,
      CREDMON_mytok_ISSUER: issuer.url,
      VAULT_CREDMON_PROVIDER_NAMES: 'mytok, dune',
      CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
      SEC_CREDENTIAL_GETTOKEN_OPTS: '-a vault.example',
    },
  });
});
afterEach(() => workspace.remove());

const ALL: readonly FakeProgram[] = ['condor_store_cred', 'htgettoken', 'pelican'];
const file = (name: string): string => join(workspace.credentialDirectory, 'alice', name);

function environment(
  more: Readonly<Record<string, string>>,
  programs = ALL,
): Record<string, string> {
  const bin = join(workspace.root, 'bin');
  rmSync(bin, { recursive: true, force: true });
  installPrograms(bin, programs);
  return {
    ...workspace.environment,
    PATH: `${bin}:/usr/bin:/bin`,
    FAKE_CREDENTIAL_DIRECTORY: workspace.credentialDirectory,
    FAKE_LOG: join(workspace.root, 'calls'),
    ...more,
  };
}

/** The storer with no terminal anywhere. */
function batch(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  programs = ALL,
): Child {
  const storer = [process.execPath, executablePath(root, 'condor_credential_storer'), ...args];
  return startProcess('setsid', ['-w', ...storer], environment(more, programs));
}

/**
 * The storer on a terminal of its own; its standard output goes to a pipe, as it may
 * under condor_submit.
 */
function onTerminal(args: readonly string[], more: Readonly<Record<string, string>> = {}): Child {
  const words = [process.execPath, executablePath(root, 'condor_credential_storer'), ...args];
  const line = words.map((word) => `'${word}'`).join(' ');
  return startProcess(
    'script',
    ['-qefc', line, '/dev/null'],
    environment({ LANG: 'C.UTF-8', ...more }),
  );
}

function calls(): string[][] {
  const path = join(workspace.root, 'calls');
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as string[])
    : [];
}

const page = (child: Child): Promise<string> =>
  child.printed(/^ +(http:\S+user_code=\S+)/m).then((match) => match[1] ?? '');

describe('a device login', () => {
  it('R19 R43 prints address, QR code and code, stores through condor_store_cred, and the daemon renews it without .meta', async () => {
    const storer = onTerminal(['mytok&scopes=read,write&audience=https://api.example']);
    const url = await page(storer);
    expect(storer.output).toMatch(/[▄▀█]{10}/u);
    expect(storer.output).toContain(new URL(url).searchParams.get('user_code'));
    await answerDevicePage(url, 'login', 'alice');
    expect(await storer.exited).toEqual({ code: 0, signal: null });
    const top = readJson(file('mytok.top'));
    const use = readJson(file('mytok.use'));
    expect(top).toEqual({
      refresh_token: expect.any(String),
      scopes: 'read,write',
      audience: 'https://api.example',
    });
    expect(use).toMatchObject({ access_token: expect.any(String), scope: 'read write' });
    expect(statSync(file('mytok.use')).mode & 0o777).toBe(0o600);
    expect(calls().map((call) => call.slice(1))).toEqual([
      ['query-oauth', '-s', 'mytok', '-S', 'read,write', '-A', 'https://api.example'],
      ['add-oauth', '-s', 'mytok', '-P', '-i', '-'],
      ['add-oauth', '-s', 'mytok', '-S', 'read,write', '-A', 'https://api.example', '-i', '-'],
    ]);
    const secrets = { access: String(use['access_token']), refresh: String(top['refresh_token']) };
    expect(
      findSecrets(secrets, { terminal: storer.output, calls: JSON.stringify(calls()) }),
    ).toEqual([]);

    // The token is new: nothing is renewed before it is due.
    await runOnce(workspace);
    expect(readJson(file('mytok.use'))).toEqual(use);
    rmSync(file('mytok.use'));
    await runOnce(workspace);
    expect(daemonLog(workspace)).toContain('Successfully renewed alice/mytok (oauth)');
    expect(readJson(file('mytok.use'))['access_token']).not.toBe(use['access_token']);
    expect([existsSync(file('mytok.meta')), readJson(file('mytok.top'))['scopes']]).toEqual([
      false,
      'read,write',
    ]);
    expect(findSecrets(secrets, textsBelow(workspace.logDirectory))).toEqual([]);
  });
});

describe('a Vault login', () => {
  const vault = {
    token: 'hvs.CANARY-vault-token',
    url: 'https://vault.example:8200/v1/secret/oauth-dune/creds/alice:default',
  };
  const mode = { CONDOR_CREDENTIAL_STORER_MODE: 'vault', FAKE_VAULT: JSON.stringify(vault) };

  it("stores what htgettoken brings, and a handle's URL beside its parent's token", async () => {
    const storer = batch(['dune&handle=h1&scopes=a,b&options=--kerbpath=x', 'dune'], mode);
    expect((await storer.exited).code).toBe(0);
    expect(readJson(file('dune.top'))).toEqual({ vault_token: vault.token, vault_url: vault.url });
    expect(readJson(file('dune_h1.top'))).toEqual({ vault_url: vault.url, scopes: 'a,b' });
    const [called] = calls().filter(([program]) => program === 'htgettoken');
    expect(called).toEqual(
      'htgettoken -a vault.example -i dune --kerbpath=x --vaulttokenttl=28d --vaulttokeninfile=/nonexistent --vaulttokenfile=/dev/stdout --outfile=/dev/fd/3 --showbearerurl --nooidc'.split(
        ' ',
      ),
    );
    expect(calls().filter(([program]) => program === 'htgettoken').length).toBe(1);
    expect(storer.output).not.toContain('CANARY');
  });

  it('on a terminal htgettoken may ask the user', async () => {
    const storer = onTerminal(['dune'], mode);
    expect((await storer.exited).code).toBe(0);
    expect(calls().flat()).not.toContain('--nooidc');
    expect(storer.output).toContain('Attempting to get token');
  });

  it('that fails without a terminal says what to do by hand', async () => {
    const storer = batch(['dune'], { ...mode, FAKE_VAULT: '{"exit":1}' });
    expect((await storer.exited).code).toBe(1);
    expect(storer.output).toContain("condor_credential_storer 'dune'");
  });

  it('without htgettoken says so', async () => {
    const storer = batch(['dune'], mode, ['condor_store_cred']);
    expect((await storer.exited).code).toBe(1);
    expect(storer.output).toContain('htgettoken is not installed');
  });
});

describe('a Pelican login', () => {
  beforeEach(() =>
    workspace.configure({
      PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
      osdf_PELICAN_URL: 'pelican://federation.example',
      osdf_PELICAN_PREFIX: '/ospool',
      osdf_PELICAN_PERMISSIONS: 'read, modify',
    }),
  );
  const mode = {
    CONDOR_CREDENTIAL_STORER_MODE: 'pelican',
    FAKE_PELICAN_TOKEN: 'CANARY.pelican-token.x',
  };

  it('stores what pelican brings', async () => {
    const storer = onTerminal(['osdf'], mode);
    expect((await storer.exited).code).toBe(0);
    expect(readJson(file('osdf.top'))).toEqual({ access_token: mode.FAKE_PELICAN_TOKEN });
    expect(calls()[1]).toEqual([
      'pelican',
      'token',
      'fetch',
      '--read',
      '--modify',
      'pelican://federation.example/ospool',
    ]);
    expect(storer.output).not.toContain('CANARY');
  });

  it('without a terminal ends at once', async () => {
    const storer = batch(['osdf'], mode);
    expect((await storer.exited).code).toBe(1);
    expect(calls().map(([program]) => program)).toEqual(['condor_store_cred']);
  });
});

describe('names that users sign in for on the web', () => {
  beforeEach(() =>
    workspace.configure({
      webtok_CLIENT_ID: 'ap',
      webtok_CLIENT_SECRET_FILE: join(workspace.root, 'secret'),
      webtok_TOKEN_URL: issuer.tokenUrl,
      webtok_AUTHORIZATION_URL: issuer.authorizationUrl,
      webtok_RETURN_URL_SUFFIX: '/return/webtok',
    }),
  );

  // HTCondor 23.9 passes these names, too: tests/pool/device-login.test.ts.
  it('R19 are left alone when condor_submit of HTCondor 25.14 passes them', async () => {
    const storer = batch(['webtok'], { CONDOR_CREDENTIAL_STORER_MODE: 'vault' });
    expect([(await storer.exited).code, storer.output, calls()]).toEqual([0, '', []]);
  });

  it('R19 are an error with the remedy by hand', async () => {
    const storer = batch(['webtok']);
    expect((await storer.exited).code).toBe(1);
    expect(storer.output).toContain('users log in with a browser instead');
  });
});

describe('misuse', () => {
  it.each([
    [[], 2, 'no service given'],
    [['--bogus'], 2, 'usage: condor_credential_storer'],
    [['mytok&colour=red'], 2, 'is not one of'],
    [['../x'], 2, 'is not a valid credential name'],
    [['unknown'], 2, 'unknown service unknown'],
    [['scitokens'], 2, 'needs no login'],
    [['--help'], 0, 'usage: condor_credential_storer'],
  ] as const)('%j: exit code %i', async (args, code, text) => {
    const storer = batch(args);
    expect((await storer.exited).code).toBe(code);
    expect(storer.output).toContain(text);
  });

  it('without condor_store_cred says so', async () => {
    const storer = batch(['mytok'], {}, ['htgettoken']);
    expect((await storer.exited).code).toBe(1);
    expect(storer.output).toContain('condor_store_cred is not installed');
  });

  it('a store that fails is an error', async () => {
    const storer = batch(['dune'], {
      FAKE_STORE_FAILS: '1',
      FAKE_VAULT: '{"token":"hvs.x","url":"https://vault.example:8200/v1/x"}',
    });
    expect((await storer.exited).code).toBe(1);
    expect(storer.output).toContain('condor_store_cred could not store dune (exit code 1)');
  });
});
