// The whole check command: every kind of provider, each well or broken on its own, and
// nothing done or told that must not be.
import { chownSync, existsSync, symlinkSync } from 'node:fs';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { CodedError, ok, type Finding } from '@credmon/core/base';
import { runCheckCommand } from '../../src/commands/check.ts';
import { runChecks, type Check } from '../../src/checks/context.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

/** Runs the command on a configuration file with these lines. */
async function check(
  lines: readonly string[],
  options = {},
): Promise<{ code: number; text: string }> {
  const path = on.file(
    'condor_config',
    [
      `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.credDir}`,
      `LOG = ${on.root}`,
      'CREDMON_ALLOW_LOOPBACK_HTTP = true',
      'CREDMON_REQUEST_TIMEOUT = 3',
      ...lines,
      '',
    ].join('\n'),
  );
  const printed: string[] = [];
  const code = await runCheckCommand(
    {
      kind: 'check',
      configFile: path,
      credDir: undefined,
      name: 'CREDMON_OAUTH',
      json: false,
      user: undefined,
      ...options,
    },
    {},
    (text) => printed.push(text),
  );
  return { code, text: printed.join('\n') };
}

async function findings(lines: readonly string[], options = {}): Promise<readonly Finding[]> {
  return JSON.parse((await check(lines, { json: true, ...options })).text) as Finding[];
}

const SECRETS = {
  client: 'canary-client-secret-1',
  refresh: 'canary-refresh-token-2',
  access: 'canary-access-token-3',
  key: 'canary-private-key-4',
  standing: 'canary-standing-token-5',
};

/** One provider of every kind; none of them is well but the login. */
function everyKind(): string[] {
  on.file('creds/alice/mytok.top', JSON.stringify({ refresh_token: SECRETS.refresh }));
  on.file(
    'creds/alice/mytok.use',
    JSON.stringify({ access_token: SECRETS.access, issued_at: 1000, expires_at: 4600 }),
  );
  on.file('creds/bob/own2.use', SECRETS.access);
  on.file('standing', SECRETS.standing);
  const program = on.file('bin/program', `#!/bin/sh\ntouch ${on.root}/ran\n`, 0o755);
  return [
    `mytok_CLIENT_ID = me`,
    `mytok_CLIENT_SECRET_FILE = ${on.file('secret', SECRETS.client)}`,
    `mytok_TOKEN_URL = ${issuer.tokenUrl}`,
    `mytok_AUTHORIZATION_URL = ${issuer.authorizationUrl}`,
    `mytok_RETURN_URL_SUFFIX = /return/mytok`,
    `CREDMON_mytok_ISSUER = ${issuer.url}`,
    'LOCAL_CREDMON_PROVIDER_NAMES = scitokens',
    `LOCAL_CREDMON_PRIVATE_KEY = ${on.file('private.pem', SECRETS.key)}`,
    'LOCAL_CREDMON_ISSUER = https://127.0.0.1:1',
    'CLIENT_CREDMON_PROVIDER_NAMES = site',
    'CLIENT_CREDMON_CLIENT_ID = me',
    `CLIENT_CREDMON_CLIENT_SECRET_FILE = ${on.file('open secret', SECRETS.client, 0o644)}`,
    'CLIENT_CREDMON_ISSUER = http://127.0.0.1:1',
    'EXCHANGE_CREDMON_PROVIDER_NAMES = lab',
    'EXCHANGE_CREDMON_CLIENT_ID = me',
    `EXCHANGE_CREDMON_ISSUER = ${issuer.url}/`,
    'PELICAN_CREDMON_PROVIDER_NAMES = osdf',
    'PELICAN_CREDMON_CLIENT_ID = me',
    'PELICAN_CREDMON_ISSUER = http://127.0.0.1:1',
    'EXEC_CREDMON_PROVIDER_NAMES = own, bad',
    `EXEC_CREDMON_own_COMMAND = ${program}`,
    'EXEC_CREDMON_bad_COMMAND = /no/such/program',
    'VAULT_CREDMON_PROVIDER_NAMES = dune',
    'TRUSTED_VAULT_HOSTS = 127.0.0.1',
    'CREDMON_VAULT_PORTS = 1',
    'CREDMON_STANDING_TOKENS = ce1',
    'CREDMON_STANDING_PROVIDER = scitokens',
    'CREDMON_STANDING_SCOPE = compute.read',
    'CREDMON_STANDING_AUDIENCE = ce.example',
    'CREDMON_STANDING_ce1_SUBJECT = me',
    `CREDMON_STANDING_ce1_PATH = ${on.root}/standing`,
    'CREDMON_RENEW_FRACTOIN = 0.4',
  ];
}

it('R45 explains every kind of provider, and an invalid one does not stop the others', async () => {
  const found = await findings(everyKind());
  const first = new Map<string, string>();
  for (const { what, text } of found) if (!first.has(what)) first.set(what, text);
  expect([...first]).toEqual([
    ['configuration', `${on.root}/condor_config: no errors`],
    ['log', `will go to ${on.root}/CredmonOauthLog`],
    ["users' view", `${on.root}/credmon is missing: the daemon creates it`],
    [
      'standing tokens',
      "failed renewals are not shown here: no condor_credmon is running here; see the daemon's log",
    ],
    [
      'certificates',
      expect.stringMatching(/^\d+ certificate authorities are trusted, from Node\.js \(/),
    ],
    ['credential directory', `${on.credDir} is private and writable`],
    ['daemon', 'no condor_credmon is running here: nothing is renewed'],
    ['tokens', '3 tokens, 2 of them managed'],
    ['clock', `agrees with ${issuer.url}`],
    ['mytok (login)', expect.stringMatching(/^refreshes the tokens/)],
    ['scitokens (signed here)', expect.stringMatching(/^signs scitoken:2\.0 tokens/)],
    ['ce1 (standing token)', expect.stringMatching(/^keeps a token of scitokens/)],
    ['Vault', expect.stringMatching(/^reads the tokens of dune/)],
    ['site (client credentials)', expect.stringMatching(/^fetches a token/)],
    ['lab (token exchange)', expect.stringMatching(/^exchanges the token/)],
    ['osdf (token exchange for Pelican)', expect.stringMatching(/^exchanges the token/)],
    ['own (token program)', expect.stringMatching(/^runs /)],
    ['bad (token program)', expect.stringMatching(/^runs /)],
  ]);
  expect([
    ...new Set(found.filter(({ state }) => state === 'error').map(({ what }) => what)),
  ]).toEqual([
    'scitokens (signed here)',
    'ce1 (standing token)',
    'Vault',
    'site (client credentials)',
    'lab (token exchange)',
    'osdf (token exchange for Pelican)',
    'bad (token program)',
  ]);
});

it('a check that fails is a finding, and the others continue', async () => {
  const fails: Check = {
    what: 'a',
    run: () => {
      throw new CodedError('CONFIG_LIMIT', 'expands without end');
    },
  };
  expect(await runChecks([fails, { what: 'b', run: async () => [ok('b', 'is well')] }])).toEqual([
    { what: 'a', state: 'error', text: 'expands without end' },
    { what: 'b', state: 'ok', text: 'is well' },
  ]);
});

it('a command to fix something can be copied into a shell', async () => {
  const { text } = await check(everyKind());
  expect(text).toContain(`\n           fix: chmod go-rwx '${on.root}/open secret'\n`);
});

it('R43 shows no secret, sends none, runs no program and changes no file', async () => {
  const lines = everyKind();
  const before = textsBelow(on.root);
  const asText = await check(lines, { user: 'alice' });
  const asJson = await check(lines, { json: true });
  expect(findSecrets(SECRETS, { asText: asText.text, asJson: asJson.text })).toEqual([]);
  expect(issuer.log.requests).toEqual([]);
  expect(existsSync(`${on.root}/ran`)).toBe(false);
  expect(textsBelow(on.root)).toEqual({ ...before, condor_config: expect.anything() as unknown });
});

it('fits 80 columns where paths and URLs allow', async () => {
  const { code, text } = await check(everyKind());
  const long = text.split('\n').filter((line) => line.length > 80 && !/^ +fix: /.test(line));
  expect(long.filter((line) => line.trim().split(/ +/).length > 2)).toEqual([]);
  expect(text).toMatch(/\n\d+ errors, \d+ warnings\. Errors in: scitokens \(signed here\),/);
  expect(code).toBe(1);
});

it('tokens: one has no provider, one needs attention, and R18 one has a short lifetime', async () => {
  const texts = (await findings([...everyKind(), 'CREDMON_TOKEN_FLOOR = 5000']))
    .filter(({ what, state }) => what === 'tokens' && state === 'warning')
    .map(({ text }) => text);
  expect(texts).toEqual([
    'bob/own2 is not renewed: own2 is not listed in any *_CREDMON_PROVIDER_NAMES and has no own2_CLIENT_ID',
    'alice/mytok is expired, and not renewed yet',
    'a job may read a token of mytok with only 1440 s left; ask the issuer for a lifetime of 10720 s or more, or reduce SEC_CREDENTIAL_REFRESH',
  ]);
});

it.each([
  ['CLIENT_REFUSED', 1, 'error'],
  ['ISSUER_ANSWER_INVALID', 1, 'error'],
  ['GRANT_REVOKED', 0, 'warning'],
  ['ISSUER_UNREACHABLE', 0, 'warning'],
] as const)('R45 a token with the failure %s: exit code %d', async (code, exit, state) => {
  const failure = {
    attempts: 1,
    last_attempt: 1000,
    not_before: 1000,
    stopped: false,
    code,
    message: 'alice/mytok: said no',
    basis: '*',
  };
  on.file('creds/alice/mytok.top', JSON.stringify({ refresh_token: SECRETS.refresh }));
  on.file(
    'creds/alice/mytok.use',
    JSON.stringify({ access_token: SECRETS.access, issued_at: 1000, expires_at: 4600 }),
  );
  on.file('creds/alice/.mytok.renewal', JSON.stringify(failure));
  const lines = [
    `mytok_CLIENT_ID = me`,
    `mytok_TOKEN_URL = ${issuer.tokenUrl}`,
    `mytok_AUTHORIZATION_URL = ${issuer.authorizationUrl}`,
    `mytok_RETURN_URL_SUFFIX = /return/mytok`,
    `CREDMON_mytok_ISSUER = ${issuer.url}`,
  ];
  const found = (await findings(lines)).filter(({ what }) => what === 'tokens');
  expect(found.slice(1)).toEqual([
    {
      what: 'tokens',
      state,
      text: expect.stringContaining(`alice/mytok is expired (${code}): said no; `),
    },
  ]);
  expect((await check(lines)).code).toBe(exit);
});

it('without any provider it has a warning, not an error', async () => {
  const { code, text } = await check([]);
  expect(text).toMatch(/\nproviders\n {2}WARNING {2}none is configured, so no token is renewed/);
  expect(code).toBe(0);
});

it.each([
  [
    'a mistake in the configuration',
    ['CREDMON_TOKEN_FLOOR = many'],
    /line 5: CREDMON_TOKEN_FLOOR = many/,
  ],
  ['a broken line', ['this is not a knob'], /condor_config/],
  [
    'a list that expands without end',
    ['LOCAL_CREDMON_PROVIDER_NAMES = $(A)', 'A = $(B)', 'B = $(A)'],
    /LOCAL_CREDMON_PROVIDER_NAMES|expan/,
  ],
])('%s is an error with its place, and ends the check', async (_, lines, expected) => {
  const found = await findings(lines);
  expect([...new Set(found.map(({ what, state }) => `${state} ${what}`))]).toEqual([
    'error configuration',
  ]);
  expect(found[0]?.text).toMatch(expected);
});

it.each([
  [
    'LOG = $R/none',
    'its directory $R/none is missing, and the daemon would end with exit code 44; fix: install -d -o condor -g condor -m 755 $R/none',
  ],
  [
    'CREDMON_OAUTH_LOG = $R/creds',
    '$R/creds is a directory, and the daemon would end with exit code 44',
  ],
])('R45 a log that cannot be opened is an error: %s', async (line, text) => {
  const found = await findings([line.replace('$R', on.root)]);
  expect(found.filter(({ what }) => what === 'log')).toEqual([
    { what: 'log', state: 'error', text: text.replaceAll('$R', on.root) },
  ]);
});

it('an unusable credential directory is an error with its fix, and the providers are still checked', async () => {
  const lines = [
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.root}/not/there 2`,
    'mytok_TOKEN_URL = https://issuer.example',
  ];
  const found = await findings(lines);
  expect(found.find(({ what }) => what === 'credential directory')).toEqual({
    what: 'credential directory',
    state: 'error',
    text: `the credential directory ${on.root}/not/there 2 does not exist; fix: install -d -o root -g condor -m 2770 '${on.root}/not/there 2'`,
  });
  expect(found.at(-1)?.what).toBe('mytok (login)');
});

it.runIf(process.getuid?.() === 0)(
  'a credential directory of another user is an error with its owner and the command, for any TRUST_CREDENTIAL_DIRECTORY',
  async () => {
    chownSync(on.credDir, 64_001, 0);
    const found = await findings(['TRUST_CREDENTIAL_DIRECTORY = True']);
    expect(found.filter(({ what }) => what === 'credential directory')).toEqual([
      {
        what: 'credential directory',
        state: 'error',
        text: expect.stringMatching(
          / is owned by user id 64001, .*; fix: chown root(:condor)? \/.*\/creds$/,
        ),
      },
    ]);
    const own = await findings(['CONDOR_IDS = 64001.64001']);
    expect(own.filter(({ what }) => what === 'credential directory')).toEqual([
      ok('credential directory', `${on.credDir} is private and writable`),
      {
        what: 'credential directory',
        state: 'warning',
        text: expect.stringContaining('is that of older recipes (owner 64001, mode 0700)'),
      },
    ]);
  },
);

it('a dangling link instead of the directory is an error, since the daemon does not create its target', async () => {
  symlinkSync('/nowhere/at/all', `${on.root}/link`);
  const found = await findings([`SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.root}/link`]);
  expect(found.filter(({ what }) => what === 'credential directory')).toEqual([
    {
      what: 'credential directory',
      state: 'error',
      text: `the credential directory ${on.root}/link is a dangling symbolic link to /nowhere/at/all, not a directory; fix: rm ${on.root}/link`,
    },
  ]);
});

it('a missing directory that the daemon creates is only a warning', async () => {
  const found = await findings([`SEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.root}/oauth`]);
  expect(found.filter(({ what }) => what === 'credential directory')).toEqual([
    {
      what: 'credential directory',
      state: 'warning',
      text: `${on.root}/oauth is missing: the daemon creates it; for CredD it should belong to the group condor; fix: install -d -o root -g condor -m 2770 ${on.root}/oauth`,
    },
  ]);
});
