// What `check` says of issuers whose tokens are signed here: rules, users, keys and what
// verifiers can fetch.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  createKey,
  initKeyDirectory,
  publicKeys,
  publishKeys,
  rotateKeys,
  writeKey,
  type SigningKey,
} from '@credmon/scitokens';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localChecks } from '../../src/checks/local.ts';
import type { CheckContext, Check } from '../../src/checks/context.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const checks =
  (user?: string) =>
  (context: CheckContext): Check[] =>
    localChecks(context, user);

const pem = (key: SigningKey, form: 'pem-private' | 'pem-public'): string =>
  writeKey({ key: key.privateKey, kid: 'local', algorithm: key.algorithm }, form);

/** An issuer that is well, but that nobody can reach. */
function local(key = createKey({ algorithm: 'ES256' })): Record<string, string> {
  return {
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_ISSUER: 'https://127.0.0.1:1/issuer',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://storage.example',
    LOCAL_CREDMON_TOKEN_LIFETIME: '3600',
    LOCAL_CREDMON_PRIVATE_KEY: on.file('private.pem', pem(key, 'pem-private')),
    LOCAL_CREDMON_PUBLIC_KEY: on.file('public.pem', pem(key, 'pem-public')),
  };
}

const said = async (knobs: Record<string, string>, user?: string): Promise<string[]> =>
  (await on.findings(knobs, checks(user))).map((line) =>
    line.replace(' scitokens (signed here)', ''),
  );

/** An issuer on loopback that publishes these keys. */
async function publishing(keys: readonly unknown[]): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    const metadata = { issuer: url, jwks_uri: `${url}/jwks` };
    response.end(JSON.stringify(request.url === '/jwks' ? { keys } : metadata));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => server.close() };
}

it('has no finding about the default local provider', async () => {
  expect(await on.findings({}, checks())).toEqual([]);
});

it('has no finding about it if only standing tokens use the knobs', async () => {
  const knobs = {
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example',
    LOCAL_CREDMON_frontend_TOKEN_VERSION: 'wlcg',
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_PROVIDER: 'frontend',
    CREDMON_STANDING_SCOPE: 'compute.read',
    CREDMON_STANDING_ce1_SUBJECT: 'me',
    CREDMON_STANDING_ce1_PATH: '/var/lib/ce1',
    CREDMON_STANDING_ce1_AUDIENCE: 'ce.example',
  };
  expect(await on.findings(knobs, checks())).toEqual([]);
  expect(
    await on.findings({ ...knobs, LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:/' }, checks()),
  ).not.toEqual([]);
});

it('R45 shows the tokens, the key and the scopes of a user', async () => {
  const findings = await said(
    {
      ...local(),
      LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE: 'read:/{groupname}',
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: on.file('groups', '* alice cms\n'),
      LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'member("cms", Groups)',
    },
    'alice',
  );
  expect(findings).toEqual([
    'ok: signs scitoken:2.0 tokens of https://127.0.0.1:1/issuer with a lifetime of 3600 s, for https://storage.example, scopes "read:/user/{username} write:/user/{username}", "read:/{groupname}" for each group, only for users with member("cms", Groups)',
    'ok: signs with the key local (ES256) in $R/private.pem',
    'ok: $R/public.pem is its public half',
    expect.stringMatching(/^warning: failed to fetch the key that verifiers need: /),
    'ok: alice (groups cms) gets: read:/user/alice write:/user/alice read:/cms',
  ]);
});

it.each<[string, () => Record<string, string>, string | RegExp]>([
  [
    'an empty audience is an error',
    () => ({ LOCAL_CREDMON_TOKEN_AUDIENCE: '' }),
    'error: no usable token is signed: a scitoken:2.0 token needs LOCAL_CREDMON_TOKEN_AUDIENCE, which is empty',
  ],
  [
    'R18 a short lifetime',
    () => ({ LOCAL_CREDMON_TOKEN_LIFETIME: '1200' }),
    'warning: a job may read a token with only 240 s left; increase LOCAL_CREDMON_TOKEN_LIFETIME to at least 1920, or reduce SEC_CREDENTIAL_REFRESH',
  ],
  [
    'an issuer without https',
    () => ({ LOCAL_CREDMON_ISSUER: 'http://ap.example' }),
    /^error: the issuer http:\/\/ap\.example .* verifiers accept only https issuers$/,
  ],
  [
    'a key that everybody can read',
    () => ({ LOCAL_CREDMON_PRIVATE_KEY: on.file('open key', 'CANARY', 0o644) }),
    "error: the private key $R/open key is open to every user; fix: chmod 600 '$R/open key', and replace the key",
  ],
  [
    'a damaged key',
    () => ({ LOCAL_CREDMON_PRIVATE_KEY: on.file('bad', 'CANARY') }),
    /^error: the private key \$R\/bad: .*neither PEM nor JSON/,
  ],
  [
    'the public half of another key',
    () => ({
      LOCAL_CREDMON_PUBLIC_KEY: on.file(
        'other',
        pem(createKey({ algorithm: 'ES256' }), 'pem-public'),
      ),
    }),
    'error: $R/other is the public half of another key: verifiers will reject its tokens',
  ],
  [
    'a lost private key',
    () => ({ LOCAL_CREDMON_PRIVATE_KEY: `${on.root}/gone` }),
    /^error: the private key \$R\/gone is missing, but its public half/,
  ],
  [
    'a missing public half',
    () => ({ LOCAL_CREDMON_PUBLIC_KEY: `${on.root}/no such.pem` }),
    "warning: its public half $R/no such.pem is missing and cannot be published; fix: openssl pkey -in $R/private.pem -pubout -out '$R/no such.pem'",
  ],
  [
    'an invalid line of a map',
    () => ({ LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: on.file('groups', '* alice cms\n* bob\n') }),
    'warning: $R/groups, line 2, is ignored: three fields expected',
  ],
  [
    'a part of a map that is missing',
    () => ({ LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: on.file('groups', '@include groups.d\n') }),
    'warning: $R/groups includes $R/groups.d, which is missing',
  ],
  [
    'templates of SciTokens in a WLCG token',
    () => ({
      LOCAL_CREDMON_TOKEN_VERSION: 'wlcg',
      LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE: 'storage.read:/{groupname}',
    }),
    'warning: scopes read:/user/{username} write:/user/{username}: WLCG tokens have only storage.* and compute.*',
  ],
  [
    'a missing user map',
    () => ({ CLASSAD_USER_MAP_NAMES: 'm', CLASSAD_USER_MAPFILE_m: '/no/such' }),
    'warning: the map file /no/such is missing',
  ],
  [
    'a requirement that needs a missing map',
    () => ({
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: '/no/such',
      LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'cms',
    }),
    /^error: cannot sign tokens of scitokens: their group requirement needs \/no\/such/,
  ],
  [
    'a rejected user',
    () => ({ LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'cms' }),
    /^warning: alice gets no token: LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow/,
  ],
  [
    'a scope that is never signed',
    () => ({ LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:/../{username}' }),
    /^error: .*scope/,
  ],
])('R45 %s', async (_, change, expected) => {
  const findings = await said({ ...local(), ...change() }, 'alice');
  const fits = (line: string): boolean =>
    typeof expected === 'string' ? line === expected : expected.test(line);
  expect(findings.filter(fits)).toHaveLength(1);
  expect(findings.join('\n')).not.toContain('CANARY');
});

const EXPR = 'LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR';
it.each<[string, Record<string, string>, string[]]>([
  [
    '+ between strings',
    { [EXPR]: 'ifThenElse(member("cms", Groups), "read:/cms write:/user/" + Username, "read:/x")' },
    [
      `warning: ${EXPR}: no token is signed for example for the user someone in the group cms: it evaluates to error, because of "read:/cms write:/user/" + Username; + does not join strings, strcat() does`,
    ],
  ],
  [
    'an unknown function',
    { [EXPR]: 'nofun(Username)' },
    [`error: ${EXPR}: unknown function nofun()`],
  ],
  [
    'a misspelt attribute',
    { [EXPR]: 'strcat("read:/", UserName2)' },
    [
      `error: ${EXPR}: unknown attribute UserName2, only Username and Groups exist; did you mean Username?`,
    ],
  ],
  [
    'a map that is not configured',
    {
      [EXPR]: 'userMap("grps", Username)',
      CLASSAD_USER_MAP_NAMES: 'grp',
      CLASSAD_USER_MAPDATA_grp: '* a b',
    },
    [
      `error: ${EXPR}: unknown map grps: it is not listed in CLASSAD_USER_MAP_NAMES; did you mean grp?`,
    ],
  ],
  [
    'a user that is not in the map',
    {
      [EXPR]: 'userMap("m", Username)',
      CLASSAD_USER_MAP_NAMES: 'm',
      CLASSAD_USER_MAPDATA_m: '* a b',
    },
    [
      `warning: ${EXPR}: no token is signed for example for the user someone without groups: it evaluates to undefined, because of userMap("m",Username)`,
    ],
  ],
  [
    'a number',
    { [EXPR]: 'size(Groups)', CREDMON_LOCAL_APPEND_TEMPLATE_EXPR: 'true' },
    [
      `warning: ${EXPR}: it adds nothing for example for the user someone without groups: it evaluates to integer, not to a string`,
    ],
  ],
  ['an intended rejection', { [EXPR]: 'member("cms", Groups) ? "read:/cms" : undefined' }, []],
  ['a correct expression', { [EXPR]: 'strcat("read:/user/", Username)' }, []],
  [
    'a requirement with a misspelt attribute',
    { LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'member("cms", Group)' },
    [
      'error: LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: unknown attribute Group, only Username and Groups exist; did you mean Groups?',
    ],
  ],
  [
    'a requirement in quotes',
    { LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: '"ligo"' },
    [
      'warning: LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT is the constant "ligo": no user gets a token; fix: write a group\'s name without quotes (ligo), or an expression such as member("ligo", Groups)',
    ],
  ],
  ['a requirement that allows nobody', { LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'false' }, []],
])('R45 the expression: %s', async (_, knobs, expected) => {
  const findings = await said({ ...local(), ...knobs });
  expect(findings.filter((line) => /AUTHZ_/.test(line) && !line.startsWith('ok'))).toEqual(
    expected,
  );
});

const WLCG_ANY = 'https://wlcg.cern.ch/jwt/v1/any';
it.each([
  [
    'wlcg',
    'ANY',
    [
      `no service accepts a wlcg:1.0 token for the audience ANY; fix: for any service, write ${WLCG_ANY}`,
    ],
  ],
  [
    'scitokens:2.0',
    WLCG_ANY,
    [
      `no service accepts a scitoken:2.0 token for the audience ${WLCG_ANY}; fix: for any service, write ANY`,
    ],
  ],
  [
    'scitokens:2.0',
    'any',
    [
      'no service accepts a scitoken:2.0 token for the audience any; fix: for any service, write ANY',
    ],
  ],
  ['wlcg', WLCG_ANY, []],
  ['scitokens:2.0', 'ANY', []],
  ['wlcg', 'https://storage.example/any', []],
])('R45 a token of version %s for the audience %s', async (version, audience, expected) => {
  const findings = await said({
    ...local(),
    LOCAL_CREDMON_TOKEN_VERSION: version,
    LOCAL_CREDMON_TOKEN_AUDIENCE: audience,
    LOCAL_CREDMON_AUTHZ_TEMPLATE: 'storage.read:/',
  });
  expect(findings.filter((line) => line.includes('no service accepts'))).toEqual(
    expected.map((text) => `warning: ${text}`),
  );
});

it('a missing key pair will be created by the daemon', async () => {
  const knobs = {
    ...local(),
    LOCAL_CREDMON_PRIVATE_KEY: join(on.root, 'a'),
    LOCAL_CREDMON_PUBLIC_KEY: join(on.root, 'b'),
  };
  expect(await said(knobs)).toContain('ok: no key yet; the daemon creates $R/a and $R/b');
  expect([existsSync(join(on.root, 'a')), existsSync(join(on.root, 'b'))]).toEqual([false, false]);
  expect(await said({ ...knobs, LOCAL_CREDMON_PRIVATE_KEY: join(on.root, 'none/a') })).toContain(
    'error: no key yet, and the daemon cannot create one in $R/none',
  );
});

describe('the published keys', () => {
  const jwk = (key: SigningKey, kid: string): unknown =>
    JSON.parse(writeKey({ key: key.privateKey, kid, algorithm: key.algorithm }, 'jwk-public'));
  const mine = createKey({ algorithm: 'ES256' });
  it.each([
    ['this key', () => [jwk(mine, 'local')], /^ok: http\S+ publishes this key$/],
    [
      'a different key with its id',
      () => [jwk(createKey({ algorithm: 'ES256' }), 'local')],
      /^error: .* publishes a different key with the id local/,
    ],
    ['no key with this id', () => [jwk(mine, 'else')], /^error: .* publishes no key local/],
  ])('%s', async (_, keys, expected) => {
    const site = await publishing(keys());
    const findings = await said({ ...local(mine), LOCAL_CREDMON_ISSUER: site.url });
    site.close();
    expect(findings.filter((line) => expected.test(line))).toHaveLength(1);
  });
});

describe('R32 a key directory', () => {
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);
  const keys = (): string => {
    const path = join(on.root, 'keys');
    mkdirSync(path, { recursive: true, mode: 0o700 });
    initKeyDirectory(path);
    return path;
  };
  const publish = (at: number): void =>
    void publishKeys(keys(), 'https://ap.example', join(on.root, 'web'), at);
  /**
   * A key that has signed for 20 days, and so many days ago the next one was published.
   */
  const rotating = (days: number): void => {
    rotateKeys(keys(), { now: now - 20 * day });
    publish(now - 20 * day);
    rotateKeys(keys(), { now: now - 20 * day });
    rotateKeys(keys(), { now: now - days * day, begin: true });
    publish(now - days * day);
  };
  it.each<[string, () => void, string | RegExp]>([
    [
      'without a key',
      () => undefined,
      /^error: \$R\/keys contains no key: .*; fix: condor_credmon keys rotate && condor_credmon keys publish && /,
    ],
    [
      'whose next key must wait',
      () => rotating(1),
      /^ok: rotation continues in (?:3d00|2d23)h: verifiers may not know/,
    ],
    [
      'whose rotation is due',
      () => rotating(4.5),
      /^warning: rotation to \S+ is due, .*; fix: condor_credmon keys rotate$/,
    ],
    [
      'whose rotation is overdue',
      () => rotating(10),
      /^warning: rotation to \S+ is overdue by 6d00h, /,
    ],
    [
      'whose next key is not published',
      () => {
        rotating(30);
        rotateKeys(keys(), { now, begin: true });
        rotateKeys(keys(), { now: now + 2 * day, begin: true });
      },
      /^warning: the next key \S+ is not published; fix: condor_credmon keys publish$/,
    ],
  ])('%s', async (_, make, expected) => {
    make();
    const { LOCAL_CREDMON_PRIVATE_KEY: _none, ...knobs } = local();
    const findings = await said({ ...knobs, CREDMON_LOCAL_KEY_DIRECTORY: keys() });
    const fits = (line: string): boolean =>
      typeof expected === 'string' ? line === expected : expected.test(line);
    expect(findings.filter(fits)).toHaveLength(1);
  });

  it('signs with its active key, but no tokens that outlive its publication', async () => {
    rotating(1);
    const { LOCAL_CREDMON_PRIVATE_KEY: _none, ...knobs } = local();
    const directory = { ...knobs, CREDMON_LOCAL_KEY_DIRECTORY: keys() };
    const kid = String(publicKeys(keys())[0]?.['kid']);
    expect(await said(directory)).toContain(`ok: signs with ${kid} of $R/keys, since 20d00h ago`);
    expect(await said({ ...directory, LOCAL_CREDMON_TOKEN_LIFETIME: String(2 * day) })).toContain(
      'error: token lifetime 172800 s exceeds the limit of the key directory $R/keys (86400 s)',
    );
    expect(
      (await said({ ...directory, CREDMON_LOCAL_KEY_DIRECTORY: '/no/such' })).slice(0, 2),
    ).toEqual([
      expect.stringMatching(/^ok: signs scitoken/),
      'error: /no/such is missing; fix: condor_credmon keys rotate && condor_credmon keys publish && condor_credmon keys rotate',
    ]);
  });

  it('will be created by the daemon if that rotates', async () => {
    const { LOCAL_CREDMON_PRIVATE_KEY: _none, ...knobs } = local();
    const byDaemon = { ...knobs, CREDMON_LOCAL_KEY_ROTATE: '90 days' };
    const look = async (path: string): Promise<string | undefined> =>
      (await said({ ...byDaemon, CREDMON_LOCAL_KEY_DIRECTORY: path }))[1];
    expect(await look(`${on.root}/new`)).toBe('ok: no key yet; the daemon creates one in $R/new');
    expect(await look(keys())).toBe('ok: no key yet; the daemon creates one in $R/keys');
  });

  it('of an issuer that the portal does not serve is published elsewhere', async () => {
    const { LOCAL_CREDMON_PRIVATE_KEY: _none, ...knobs } = local();
    const own = { ...knobs, LOCAL_CREDMON_scitokens_ISSUER: 'https://127.0.0.1:1/own' };
    expect((await said({ ...own, CREDMON_LOCAL_KEY_DIRECTORY: '/no/such' }))[1]).toBe(
      'error: /no/such is missing; fix: condor_credmon keys rotate && condor_credmon keys publish WEBDIR --provider scitokens && condor_credmon keys rotate',
    );
  });

  it('that others can write to is an error with its fix', async () => {
    const open = keys();
    chmodSync(open, 0o777);
    const { LOCAL_CREDMON_PRIVATE_KEY: _none, ...knobs } = local();
    expect((await said({ ...knobs, CREDMON_LOCAL_KEY_DIRECTORY: open }))[1]).toBe(
      'error: $R/keys is open to others (mode 777); fix: chmod go-w $R/keys',
    );
  });
});

it('R45 a user name that CredD does not allow is an error', async () => {
  expect(await said(local(), 'bob b')).toContain(
    'error: invalid user name bob b: CredD allows only letters, digits and "-+=_."',
  );
});
