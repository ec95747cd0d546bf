// condor_store_cred of old and new versions, where it is found, and what a device login
// stores through it; what htgettoken is called with, and what is made of its output.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSend, isCoded, DEFAULT_SEND_LIMITS } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { parseObject } from '@credmon/core/credential';
import { openCredentialDirectory } from '@credmon/core/store';
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startedBySubmit, parseRequest } from '../../src/storer/arguments.ts';
import { deviceLogin } from '../../src/storer/device-login.ts';
import {
  findProgram,
  type Run,
  createStoreCred,
  getTokenArguments,
  vaultLogin,
} from '../../src/storer/programs.ts';
import { notForStorer } from '../../src/storer/store.ts';
import { readStorerSettings, type StorerSettings } from '../../src/storer/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'credmon-store-cred-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(knobs: Record<string, string>): StorerSettings {
  const all = { CREDMON_ALLOW_LOOPBACK_HTTP: 'true', ...knobs };
  const env = Object.fromEntries(
    Object.entries(all).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  return readStorerSettings(
    loadConfig({ subsystem: 'TOOL', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } }),
  );
}

describe('a device login', () => {
  let issuer: MaliciousIssuer;
  beforeEach(async () => {
    issuer = await startMaliciousIssuer();
  });
  afterEach(() => issuer.close());

  /**
   * Logs in with a condor_store_cred that ends so for an access token: the calls with
   * their input, and what is printed.
   */
  async function login(
    plain: { code: number; errors?: string },
    knobs: Record<string, string> = {},
    refreshCode = 0,
  ): Promise<{
    calls: [string, Record<string, unknown>][];
    inputs: string[];
    printed: string;
    error: string;
  }> {
    const calls: [string, Record<string, unknown>][] = [];
    const inputs: string[] = [];
    const run: Run = async (program, args, { input = '' }) => {
      const object = parseObject(input);
      calls.push([[program, ...args].join(' '), object.ok ? object.value : {}]);
      inputs.push(input);
      return args.includes('-P') ? { output: '', ...plain } : { code: refreshCode, output: '' };
    };
    const settings = settingsOf({
      svc_CLIENT_ID: 'ap',
      svc_TOKEN_URL: issuer.tokenUrl,
      CREDMON_svc_DEVICE_URL: `${issuer.url}/device`,
      ...knobs,
    }).device('svc');
    if (!settings) throw new Error('svc has no client');
    const { send, close } = createSend(DEFAULT_SEND_LIMITS);
    const printed: string[] = [];
    const context = {
      send,
      clock: { now: () => 1000.7, steady: () => 0, wait: async () => undefined },
      terminal: { descriptor: 1, print: (text: string) => void printed.push(text) },
      storeCred: createStoreCred(run, ['-x'], 2, { path: '/sbin/condor_store_cred', searched: [] }),
      unicode: false,
    };
    const error = await deviceLogin(
      context,
      parseRequest('svc&handle=h1&scopes=read'),
      settings,
    ).then(
      () => '',
      (reason: unknown) => (isCoded(reason) ? reason.message : 'not coded'),
    );
    await close();
    return { calls, inputs, printed: printed.slice(1).join('\n'), error };
  }

  const TOP = '/sbin/condor_store_cred add-oauth -s svc -H h1 -S read -i - -x';
  const USE = '/sbin/condor_store_cred add-oauth -s svc -H h1 -P -i - -x';
  const UNKNOWN = "ERROR: Unrecognized option - '-P'\nUsage: condor_store_cred action [options]\n";

  it('R19 stores the access token first, so that the daemon finds nothing to renew', async () => {
    issuer.become({
      token: { access_token: 'at', refresh_token: 'rt', id_token: 'CANARY', expires_in: 600 },
    });
    const { calls, printed, error } = await login({ code: 0 });
    expect(calls).toEqual([
      [
        USE,
        {
          access_token: 'at',
          token_type: 'bearer',
          expires_in: 600,
          issued_at: 1000,
          expires_at: 1600,
          stored_before_top: true,
        },
      ],
      [TOP, { refresh_token: 'rt' }],
    ]);
    expect([printed, error]).toEqual(['Stored svc.', '']);
  });

  it.each([
    [{ code: 1, errors: UNKNOWN }, 'this condor_store_cred has no option -P'],
    [
      { code: 2, errors: 'Failed to connect to CredD' },
      'condor_store_cred -P failed (exit code 2)',
    ],
  ])(
    'R19 %j: the refresh token is stored, and the daemon makes the access token',
    async (plain, why) => {
      const { calls, printed, error } = await login(plain);
      expect(calls.map(([call]) => call)).toEqual([USE, TOP]);
      expect([printed, error]).toEqual([
        `Note: the access token could not be stored: ${why}; condor_credmon will get one at once.\nStored svc.`,
        '',
      ]);
    },
  );

  it('a refresh token that cannot be stored is an error', async () => {
    expect((await login({ code: 0 }, {}, 1)).error).toBe(
      'condor_store_cred could not store svc_h1 (exit code 1)',
    );
  });

  it.each([
    [{ expires_in: 77 }, {}, 77],
    [{ expires_in: undefined }, {}, 1200],
    [{ expires_in: undefined }, { CREDMON_DEFAULT_TOKEN_LIFETIME: '7200' }, 7200],
    [{ expires_in: undefined }, { CREDMON_svc_DEFAULT_TOKEN_LIFETIME: '600' }, 600],
    [{ expires_in: undefined, expires_at: 1400 }, {}, 400],
    [{ expires_in: 631_138_518 }, {}, 315_360_000],
    [
      { expires_in: undefined, access_token: jwt({ iat: 900, exp: 1300 }) },
      { CREDMON_DEFAULT_TOKEN_LIFETIME: '7200' },
      300,
    ],
  ])('R15 the lifetime of %j with %j is %d s', async (token, knobs, lifetime) => {
    issuer.become({ token: { access_token: 'opaque', ...token } });
    const [first] = (await login({ code: 0 }, knobs)).calls;
    expect([first?.[1]['expires_in'], first?.[1]['expires_at']]).toEqual([
      lifetime,
      1000 + lifetime,
    ]);
  });

  it('R15 a token that does not expire is stored as such', async () => {
    issuer.become({ token: { access_token: 'opaque', expires_in: undefined } });
    const unlimited = { CREDMON_svc_DEFAULT_TOKEN_LIFETIME: 'unlimited' };
    const [first] = (await login({ code: 0 }, unlimited)).calls;
    expect(first?.[1]).toEqual({
      access_token: 'opaque',
      token_type: 'bearer',
      issued_at: 1000,
      does_not_expire: true,
      stored_before_top: true,
    });
  });

  it.each([
    ['stores the bare token', { expires_in: 1200 }, {}, ['opaque\n'], []],
    ['stores a JWT that says its times', { access_token: jwt({ iat: 990, exp: 1500 }) }, {}, 1, []],
    [
      'stores one that does not expire',
      { expires_in: undefined },
      { CREDMON_svc_PROFILE: 'github', CREDMON_svc_AUDIENCE_PARAMETER: 'none' },
      ['opaque\n'],
      [],
    ],
    [
      'does not store one that its file would make longer-lived',
      { expires_in: 300 },
      {},
      [],
      [
        'Note: the access token could not be stored: its lifetime cannot be stored beside a bare token; condor_credmon will get one at once.',
      ],
    ],
  ])('R5 with CREDMON_svc_TOKEN_USE_JSON = false %s', async (_, token, knobs, stored, notes) => {
    issuer.become({ token: { access_token: 'opaque', refresh_token: 'rt', ...token } });
    const bare = { CREDMON_svc_TOKEN_USE_JSON: 'false', ...knobs };
    const { calls, printed, inputs } = await login({ code: 0 }, bare);
    const uses = inputs.slice(0, -1);
    expect(typeof stored === 'number' ? uses.length : uses).toEqual(stored);
    expect(calls.at(-1)).toEqual([TOP, { refresh_token: 'rt' }]);
    expect(printed).toBe([...notes, 'Stored svc.'].join('\n'));
  });

  it.each([
    [undefined, undefined],
    ['true', 'CANARY'],
  ])('R43 CREDMON_svc_USE_ID_TOKEN = %s: the ID token in .use is %s', async (value, expected) => {
    issuer.become({
      token: {
        id_token: 'CANARY',
        other_tokens: [{ refresh_token: 'CANARY-2', access_token: 'AT2' }],
      },
    });
    const [first] = (
      await login({ code: 0 }, value === undefined ? {} : { CREDMON_svc_USE_ID_TOKEN: value })
    ).calls;
    expect([first?.[1]['id_token'], first?.[1]['other_tokens']]).toEqual([
      expected,
      [{ access_token: 'AT2' }],
    ]);
  });

  it('a value of CREDMON_svc_USE_ID_TOKEN that is not a boolean is a mistake', async () => {
    await expect(login({ code: 0 }, { CREDMON_svc_USE_ID_TOKEN: 'perhaps so' })).rejects.toThrow(
      /CREDMON_svc_USE_ID_TOKEN/,
    );
  });
});

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`;
}

it('R5 a token of a device login is not renewed before it is due', async () => {
  const directory = join(folder, 'creds');
  mkdirSync(join(directory, 'alice'), { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const write = (name: string, text: string): void =>
    writeFileSync(join(directory, 'alice', name), text, { mode: 0o600 });
  write(
    'svc.use',
    '{"access_token":"at","issued_at":1000,"expires_at":1600,"stored_before_top":true}',
  );
  write('other.use', '{"access_token":"at","issued_at":1000,"expires_at":1600}');
  const store = openCredentialDirectory(directory, { defaultLifetime: 1200 });
  const { tokens } = await store.scan({ wall: 1000, steady: 0 });
  const times = tokens.map(
    ({ stem, use }) => [stem, use.kind === 'valid' ? use.value : use] as const,
  );
  expect(Object.fromEntries(times)).toEqual({
    other: { issuedAt: 1000, expiresAt: 1600 },
    svc: { issuedAt: 1000, expiresAt: 1600, beforeTop: true },
  });
});

describe('the program', () => {
  const make = (name: string, mode = 0o755): string => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    chmodSync(path, mode);
    return path;
  };

  it('R19 is searched in PATH, then in the directories of HTCondor; only executable files count', () => {
    const [inPath, inSbin] = [make('path/one'), make('sbin/one')];
    make('noexec/one', 0o644);
    mkdirSync(join(folder, 'directory/one'), { recursive: true });
    const at = (...names: string[]): string[] => names.map((name) => join(folder, name));
    const find = (path: string[], folders: string[]): string | undefined =>
      findProgram('one', path.join(':'), folders);
    expect([
      find(at('none', 'path'), at('sbin')),
      find(at('none', 'noexec', 'directory'), at('none', 'sbin', 'path')),
      find([''], at('sbin')),
      find(at('none'), at('noexec')),
    ]).toEqual([inPath, inSbin, inSbin, undefined]);
  });

  it('R19 the directories are those of the configuration, then those of packages', () => {
    expect(settingsOf({ SBIN: '/opt/condor/sbin', BIN: '/opt/condor/bin' }).programFolders).toEqual(
      ['/opt/condor/sbin', '/opt/condor/bin', '/usr/sbin', '/usr/bin'],
    );
  });

  it('that is not found is an error with the directories', async () => {
    const storeCred = createStoreCred(async () => ({ code: 0, output: '' }), [], 2, {
      path: undefined,
      searched: ['/opt/sbin', '/usr/sbin'],
    });
    await expect(storeCred.query(parseRequest('svc'))).rejects.toThrow(
      'condor_store_cred is not installed (it is not in PATH, /opt/sbin, /usr/sbin)',
    );
  });
});

describe('R19 condor_submit', () => {
  it.each([
    ['vault', 'bash', true],
    [undefined, 'condor_submit', true],
    [undefined, 'condor_dagman', true],
    [undefined, 'htcondor', true],
    [undefined, 'python3.11', true],
    [undefined, 'bash', false],
    [undefined, 'setsid', false],
    [undefined, '', false],
  ])('has started the storer, by mode %s and parent %s: %s', (mode, parent, expected) => {
    expect(startedBySubmit(mode, parent)).toBe(expected);
  });

  const CLIENT = { x_CLIENT_ID: 'ap', x_TOKEN_URL: 'https://i.example/token' };
  const PAGE = { x_AUTHORIZATION_URL: 'https://i.example/auth' };
  it.each<[string, Record<string, string>, string | undefined, string | undefined]>([
    [
      'a client with a secret',
      { ...CLIENT, x_CLIENT_SECRET_FILE: '/s' },
      undefined,
      'users sign in on the web',
    ],
    ['an authorization URL', { ...CLIENT, ...PAGE }, undefined, 'users sign in on the web'],
    [
      'a device URL, too',
      { ...CLIENT, ...PAGE, CREDMON_x_DEVICE_URL: 'https://i.example/d' },
      undefined,
      undefined,
    ],
    ['a public client', CLIENT, undefined, undefined],
    [
      'a name of CREDMON_DEVICE_PROVIDER_NAMES',
      { ...CLIENT, ...PAGE, CREDMON_DEVICE_PROVIDER_NAMES: 'x', VAULT_CREDMON_PROVIDER_NAMES: 'x' },
      'vault',
      undefined,
    ],
    [
      'a local provider',
      { LOCAL_CREDMON_PROVIDER_NAMES: 'x' },
      undefined,
      'it needs no login (local)',
    ],
    [
      'a client without users',
      { CLIENT_CREDMON_PROVIDER_NAMES: 'x' },
      'vault',
      'it needs no login (client)',
    ],
    [
      'a token program',
      { EXEC_CREDMON_PROVIDER_NAMES: 'x' },
      undefined,
      'it needs no login (exec)',
    ],
    [
      'an exchange',
      { EXCHANGE_CREDMON_PROVIDER_NAMES: 'x' },
      undefined,
      'it needs no login (exchange)',
    ],
    ['a Vault', { VAULT_CREDMON_PROVIDER_NAMES: 'x' }, undefined, undefined],
    ['Pelican', { PELICAN_CREDMON_PROVIDER_NAMES: 'x' }, undefined, undefined],
    ['an unknown name with a Vault', {}, 'vault', undefined],
    [
      'an unknown name',
      {},
      undefined,
      'x is not listed in any *_CREDMON_PROVIDER_NAMES and has no x_CLIENT_ID',
    ],
  ])('passes %s: %j, mode %s: %s', (_, knobs, mode, expected) => {
    const settings = settingsOf(knobs);
    const facts = {
      lists: settings.lists,
      hasClient: settings.hasClient('x'),
      mode,
      client: settings.device('x'),
    };
    expect(notForStorer('x', facts)).toBe(expected);
  });
});

const TAIL = [
  '--vaulttokeninfile=/nonexistent',
  '--vaulttokenfile=/dev/stdout',
  '--outfile=/dev/fd/3',
  '--showbearerurl',
];

describe("htgettoken's arguments", () => {
  it.each([
    ['dune', '-a v.example', ['-a', 'v.example', '-i', 'dune', '--vaulttokenttl=28d', ...TAIL]],
    ['dune_prod', '', ['-i', 'dune', '-r', 'prod', '--vaulttokenttl=28d', ...TAIL]],
    ['dune&options=-q,-v', '', ['-i', 'dune', '-q', '-v', '--vaulttokenttl=28d', ...TAIL]],
    ['dune', '--vaulttokenttl=12d', ['--vaulttokenttl=12d', '-i', 'dune', ...TAIL]],
  ])('%s with %j', (request, options, expected) => {
    expect(getTokenArguments(parseRequest(request), options, true)).toEqual(expected);
    expect(getTokenArguments(parseRequest(request), options, false)).toEqual([
      ...expected,
      '--nooidc',
    ]);
  });
});

describe("htgettoken's output", () => {
  const login = async (output: string): Promise<string[]> => {
    const stored: string[] = [];
    const run: Run = async (program, _, { input }) => {
      if (program === 'sh') return { code: 0, output };
      stored.push(input ?? '');
      return { code: 0, output: '' };
    };
    const context = { run, storeCred: createStoreCred(run, [], 2), stderr: 2, interactive: true };
    await vaultLogin(context, parseRequest('dune'), '');
    return stored;
  };

  it.each([
    'hvs.token\nhttps://v.example:8200/v1/x\nexit 0\n',
    'https://v.example:8200/v1/x\nhvs.token\nexit 0\n',
    'Storing vault token\nhvs.token\nhttps://v.example:8200/v1/x\nexit 0\n',
  ])('%j is token and URL', async (output) => {
    expect(await login(output)).toEqual([
      '{"vault_token":"hvs.token","vault_url":"https://v.example:8200/v1/x"}\n',
    ]);
  });

  it.each([
    ['hvs.token\nexit 0\n', /printed no Vault token and URL/],
    ['https://v.example/v1/x\nexit 0\n', /printed no Vault token and URL/],
    ['exit 3\n', /htgettoken failed for dune \(exit code 3\)/],
    ['', /exit code 1/],
  ])('%j is none', async (output, text) => {
    await expect(login(output)).rejects.toThrow(text);
  });
});
