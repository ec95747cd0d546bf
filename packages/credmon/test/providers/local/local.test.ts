// The local signer over real passes in a real directory: what it signs, whom it refuses,
// and what a broken key stops.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createKey, readKeySet, verifyWithKeys, writeKey } from '@credmon/scitokens';
import { describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { bench, type Bench } from '../../support/bench.ts';

const SHARED = {
  LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens, other',
  LOCAL_CREDMON_ISSUER: 'https://ap.example',
  LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://storage.example ANY',
};

/** A bench whose keys and maps stand beside its credential directory. */
function local(knobs: Record<string, string> = {}): Bench & { readonly beside: string } {
  const beside = mkdirSync(join(bench().directory, 'etc'), { recursive: true }) ?? '';
  const paths = {
    LOCAL_CREDMON_PRIVATE_KEY: join(beside, 'private.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: join(beside, 'public.pem'),
  };
  const filled = Object.entries({ ...SHARED, ...paths, ...knobs }).map(([name, value]) => [
    name,
    value.replaceAll('BESIDE', beside),
  ]);
  return Object.assign(bench({ knobs: Object.fromEntries(filled) as Record<string, string> }), {
    beside,
  });
}

const pass = async (on: Bench): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const use = (on: Bench, user = 'alice', stem = 'scitokens'): Record<string, unknown> =>
  JSON.parse(on.read(user, `${stem}.use`)) as Record<string, unknown>;
const claimsOf = (token: unknown): Record<string, unknown> =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
const claims = (on: Bench, user?: string, stem?: string): Record<string, unknown> =>
  claimsOf(use(on, user, stem)['access_token']);
const loud = (on: Bench): string[] => on.lines.filter((line) => /^(?:warn|error)/.test(line));

async function served(knobs: Record<string, string> = {}, user = 'alice', stem = 'scitokens') {
  const on = local(knobs);
  on.seed(user, stem, { top: `${user}@pool` });
  await pass(on);
  return on;
}

describe('a local token', () => {
  it('has the claims of the reference, and verifies with the generated public key', async () => {
    const on = await served();
    const { access_token: token, ...rest } = use(on);
    const issuedAt = on.clock.now();
    expect(rest).toEqual({ expires_in: 1200, issued_at: issuedAt, expires_at: issuedAt + 1200 });
    expect(claimsOf(token)).toEqual({
      ver: 'scitoken:2.0',
      iss: 'https://ap.example',
      sub: 'alice',
      aud: ['https://storage.example', 'ANY'],
      scope: 'read:/user/alice write:/user/alice',
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + 1200,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    });
    const key = createPublicKey(readFileSync(join(on.beside, 'public.pem')));
    const jwk = JSON.parse(
      writeKey({ key, kid: 'local', algorithm: 'ES256' }, 'jwk-public'),
    ) as object;
    const options = { now: issuedAt + 1, issuers: ['https://ap.example'] };
    expect(verifyWithKeys(String(token), readKeySet({ keys: [jwk] }), options)).toMatchObject({
      profile: 'scitoken:2.0',
      header: { kid: 'local', alg: 'ES256' },
    });
  });

  it('R20 is a file of mode 0400, and the key pair has modes 0600 and 0644, SEC1 and SPKI', async () => {
    const on = await served();
    const mode = (path: string): number => statSync(path).mode & 0o777;
    const [secret, open] = [join(on.beside, 'private.pem'), join(on.beside, 'public.pem')];
    expect([mode(join(on.directory, 'alice/scitokens.use')), mode(secret), mode(open)]).toEqual([
      0o400, 0o600, 0o644,
    ]);
    expect(readFileSync(secret, 'utf8')).toMatch(/^-----BEGIN EC PRIVATE KEY-----/);
    expect(readFileSync(open, 'utf8')).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  });

  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['wlcg', { LOCAL_CREDMON_TOKEN_VERSION: 'wlcg' }, { 'wlcg.ver': '1.0', ver: undefined }],
    ['none', { LOCAL_CREDMON_TOKEN_VERSION: 'none' }, { 'wlcg.ver': undefined, ver: undefined }],
    [
      'set to nothing',
      { LOCAL_CREDMON_TOKEN_VERSION: '' },
      { 'wlcg.ver': undefined, ver: undefined },
    ],
    [
      'of one provider',
      { LOCAL_CREDMON_scitokens_TOKEN_VERSION: 'wlcg:1.0' },
      { 'wlcg.ver': '1.0' },
    ],
    [
      'no audience with none',
      { LOCAL_CREDMON_TOKEN_VERSION: 'none', LOCAL_CREDMON_TOKEN_AUDIENCE: '' },
      { aud: undefined },
    ],
    ['an expression for the lifetime', { LOCAL_CREDMON_TOKEN_LIFETIME: '60 * 20 + 1' }, {}],
  ])('follows its version: %s', async (_, knobs, expected) => {
    const on = await served(knobs);
    const found = claims(on);
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, found[name]]))).toEqual(
      expected,
    );
  });

  it.each([
    ['60*20', 1200],
    ['20m', 1200],
    ['1 h', 3600],
  ])('lives as long as TOKEN_LIFETIME = %s says', async (text, seconds) => {
    const on = await served({ LOCAL_CREDMON_TOKEN_LIFETIME: text });
    const { iat, exp } = claims(on);
    expect(Number(exp) - Number(iat)).toBe(seconds);
  });

  it('of a handle is a token of its provider', async () => {
    const on = await served(
      { LOCAL_CREDMON_other_ISSUER: 'https://other.example' },
      'alice',
      'other_h1',
    );
    expect(claims(on, 'alice', 'other_h1')).toMatchObject({
      iss: 'https://other.example',
      sub: 'alice',
    });
  });

  it('bare, by provider or for all, is one line, and is renewed by its own exp, not at every scan', async () => {
    const on = local({ LOCAL_CREDMON_other_TOKEN_USE_JSON: 'False' });
    on.seed('alice', 'scitokens', { top: 'x' });
    on.seed('alice', 'other', { top: 'x' });
    await pass(on);
    const first = on.read('alice', 'other.use');
    expect(first).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(use(on)).toHaveProperty('access_token');
    on.clock.advance(60);
    await pass(on);
    expect(on.read('alice', 'other.use')).toBe(first);
    on.clock.advance(560);
    await pass(on);
    expect(on.read('alice', 'other.use')).not.toBe(first);
  });

  it('is signed for any contents of .top', async () => {
    const on = local();
    const tops = [
      '',
      'null',
      '[]',
      '{"refresh_token":"fake"}',
      'alice@pool',
      '{"scopes":"read:/"}',
    ];
    tops.forEach((top, index) => on.seed(`u${index}`, 'scitokens', { top }));
    await pass(on);
    expect(tops.map((_, index) => claims(on, `u${index}`)['scope'])).toEqual(
      tops.map((_, index) => `read:/user/u${index} write:/user/u${index}`),
    );
  });

  it('R3 with a broken .use is signed again, and does not stop others', async () => {
    const on = local();
    ['{}', '[]', 'null', '{"access_token": 5}'].forEach((text, index) =>
      on.seed(`u${index}`, 'scitokens', { top: 'x', use: text }),
    );
    await pass(on);
    expect([0, 1, 2, 3].map((index) => claims(on, `u${index}`)['sub'])).toEqual([
      'u0',
      'u1',
      'u2',
      'u3',
    ]);
  });
});

describe('groups', () => {
  it('give scopes, also by regular expressions; a changed map is used for the next token', async () => {
    const on = local({
      LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE: 'read:/g/{groupname}',
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: 'BESIDE/map',
    });
    writeFileSync(join(on.beside, 'map'), '* alice cms,it\n* /^pilot/ pilots\n');
    on.seed('alice', 'scitokens', { top: 'x' });
    on.seed('pilot7', 'scitokens', { top: 'x' });
    await pass(on);
    expect([claims(on)['scope'], claims(on, 'pilot7')['scope']]).toEqual([
      'read:/user/alice write:/user/alice read:/g/cms read:/g/it',
      'read:/user/pilot7 write:/user/pilot7 read:/g/pilots',
    ]);
    writeFileSync(join(on.beside, 'map'), '* alice other-group\n');
    on.clock.advance(620);
    await pass(on);
    expect(claims(on)['scope']).toBe('read:/user/alice write:/user/alice read:/g/other-group');
  });

  it('of a missing map are left out with one log line', async () => {
    const on = local({
      LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE: 'read:/g/{groupname}',
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: 'BESIDE/nomap',
    });
    for (const user of ['a', 'b', 'c']) on.seed(user, 'scitokens', { top: 'x' });
    await pass(on);
    expect(claims(on, 'c')['scope']).toBe('read:/user/c write:/user/c');
    expect(loud(on).filter((line) => line.includes('nomap'))).toEqual([
      `warn the map file ${join(on.beside, 'nomap')} is missing`,
    ]);
  });

  it('R44 of a map that is missing again are logged again', async () => {
    const map = 'BESIDE/map';
    const on = local({
      LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE: 'read:/g/{groupname}',
      LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: map,
    });
    const file = join(on.beside, 'map');
    for (const there of [false, true, false, false]) {
      if (there) writeFileSync(file, '* a cms\n');
      else rmSync(file, { force: true });
      on.seed('a', 'scitokens', { top: 'x' });
      on.clock.advance(620);
      await pass(on);
    }
    expect(loud(on).filter((line) => line.includes('map file'))).toEqual([
      `warn the map file ${file} is missing`,
      `warn the map file ${file} is missing`,
    ]);
  });
});

describe('a rejected user', () => {
  const REQUIRED = {
    LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT: 'cms',
    LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE: 'BESIDE/map',
  };

  it('gets the empty token of the reference, one log line, and a real token once the map allows it', async () => {
    const on = local(REQUIRED);
    writeFileSync(join(on.beside, 'map'), '* alice cms\n');
    on.seed('alice', 'scitokens', { top: 'x' });
    on.seed('mallory', 'scitokens', { top: 'x' });
    await pass(on);
    expect([
      claims(on)['sub'],
      use(on, 'mallory')['access_token'],
      use(on, 'mallory')['expires_in'],
    ]).toEqual(['alice', '', 1200]);
    for (let scans = 0; scans < 3; scans += 1) {
      on.clock.advance(60);
      await pass(on);
    }
    expect(
      on.lines.filter((line) => line.includes('mallory') && !line.startsWith('debug')),
    ).toEqual([
      expect.stringContaining(
        'LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT does not allow a token for mallory',
      ) as string,
    ]);
    writeFileSync(join(on.beside, 'map'), '* alice cms\n* mallory cms\n');
    await pass(on);
    expect(claims(on, 'mallory')['sub']).toBe('mallory');
    expect(on.has('mallory', '.scitokens.renewal')).toBe(false);
  });

  it('that submits again is answered again', async () => {
    const on = local(REQUIRED);
    writeFileSync(join(on.beside, 'map'), '* alice cms\n');
    on.seed('mallory', 'scitokens', { top: 'x' });
    await pass(on);
    rmSync(join(on.directory, 'mallory/scitokens.use'));
    rmSync(join(on.directory, 'mallory/scitokens.top'));
    on.seed('mallory', 'scitokens', { top: 'y' });
    await pass(on);
    expect(use(on, 'mallory')['access_token']).toBe('');
  });

  it('that is no longer allowed loses the token at the next renewal', async () => {
    const on = local(REQUIRED);
    writeFileSync(join(on.beside, 'map'), '* alice cms\n');
    on.seed('alice', 'scitokens', { top: 'x' });
    await pass(on);
    writeFileSync(join(on.beside, 'map'), '* bob cms\n');
    on.clock.advance(620);
    await pass(on);
    expect(use(on)['access_token']).toBe('');
  });

  it('does not exist while the map cannot be read: the submit waits, with one log line for all', async () => {
    const on = local(REQUIRED);
    for (const user of ['a', 'b', 'c']) on.seed(user, 'scitokens', { top: 'x' });
    await pass(on);
    expect(on.has('a', 'scitokens.use')).toBe(false);
    expect(loud(on).filter((line) => line.includes('group requirement'))).toHaveLength(1);
    writeFileSync(join(on.beside, 'map'), '* /./ cms\n');
    await pass(on);
    expect(claims(on, 'c')['sub']).toBe('c');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'has "..", in a template',
      { LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:/user/../{username}' },
      /parent directory/,
    ],
    ['is relative', { LOCAL_CREDMON_AUTHZ_TEMPLATE: 'read:{username}' }, /relative path/],
    [
      'has "..", in an expression',
      { LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR: 'strcat("read:/..", "/", Username)' },
      /parent/,
    ],
    ['has no audience', { LOCAL_CREDMON_TOKEN_AUDIENCE: '' }, /must have an audience/],
  ])('is everybody whose token %s: nothing unsafe is signed', async (_, knobs, said) => {
    const on = await served(knobs);
    expect(use(on)['access_token']).toBe('');
    expect(loud(on).join('\n')).toMatch(said);
  });
});

describe('a key', () => {
  const failing = (on: Bench): string[] =>
    loud(on).filter((line) => line.includes('cannot sign tokens'));

  it.each<[string, (path: string) => void]>([
    ['is missing', (path) => rmSync(path)],
    ['is garbage', (path) => writeFileSync(path, 'nonsense')],
    ['is open to everybody', (path) => chmodSync(path, 0o644)],
    ['is a link to itself', (path) => (rmSync(path), symlinkSync(path, path))],
    ['is a directory', (path) => (rmSync(path), mkdirSync(path))],
    ['is public', (path) => writeFileSync(path, readFileSync(path.replace('private', 'public')))],
    [
      'does not fit the algorithm',
      (path) =>
        writeFileSync(
          path,
          String(
            generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
              type: 'pkcs1',
              format: 'pem',
            }),
          ),
        ),
    ],
  ])(
    'R45 that %s stops its provider only, with one log line; once fixed, it signs at the next pass',
    async (_, break_) => {
      const on = await served({ LOCAL_CREDMON_other_PRIVATE_KEY: 'BESIDE/other.pem' });
      const good = createKey({ algorithm: 'ES256' });
      const pem = writeKey({ key: good.privateKey, kid: 'o', algorithm: 'ES256' }, 'pem-private');
      writeFileSync(join(on.beside, 'other.pem'), pem, { mode: 0o600 });
      const path = join(on.beside, 'private.pem');
      const saved = readFileSync(path);
      break_(path);
      for (const user of ['a', 'b', 'c']) {
        on.seed(user, 'scitokens', { top: 'x' });
        on.seed(user, 'other', { top: 'x' });
      }
      await pass(on);
      on.clock.advance(30);
      await pass(on);
      expect([on.has('a', 'scitokens.use'), on.has('a', 'other.use'), failing(on).length]).toEqual([
        false,
        true,
        1,
      ]);
      expect(claims(on)['sub']).toBe('alice');
      rmSync(path, { recursive: true, force: true });
      writeFileSync(path, saved, { mode: 0o600 });
      await pass(on);
      expect(claims(on, 'c')['sub']).toBe('c');
      expect(on.lines.join('\n')).not.toContain('BEGIN EC');
    },
  );

  it('R45 that is replaced signs the next token, without a restart', async () => {
    const on = await served();
    const { privateKey } = createKey({ algorithm: 'ES256' });
    writeFileSync(
      join(on.beside, 'private.pem'),
      writeKey({ key: privateKey, kid: 'n', algorithm: 'ES256' }, 'pem-private'),
    );
    utimesSync(join(on.beside, 'private.pem'), 1, 1);
    on.seed('bob', 'scitokens', { top: 'x' });
    await pass(on);
    const jwk = JSON.parse(
      writeKey({ key: privateKey, kid: 'local', algorithm: 'ES256' }, 'jwk-public'),
    ) as object;
    const options = { now: on.clock.now() + 1, issuers: ['https://ap.example'] };
    expect(
      verifyWithKeys(String(use(on, 'bob')['access_token']), readKeySet({ keys: [jwk] }), options)
        .claims['sub'],
    ).toBe('bob');
  });

  it('is not created again while its public half exists', async () => {
    const on = local();
    writeFileSync(join(on.beside, 'public.pem'), 'old');
    on.seed('alice', 'scitokens', { top: 'x' });
    await pass(on);
    expect([
      on.has('alice', 'scitokens.use'),
      readFileSync(join(on.beside, 'public.pem'), 'utf8'),
    ]).toEqual([false, 'old']);
    expect(loud(on)[0]).toMatch(/private key .* is missing, but its public half .* exists/);
  });

  it('whose directory is missing does not affect other kinds of tokens', async () => {
    const on = local({
      LOCAL_CREDMON_PRIVATE_KEY: 'BESIDE/no/p.pem',
      LOCAL_CREDMON_PUBLIC_KEY: 'BESIDE/no/q.pem',
    });
    on.seed('alice', 'scitokens', { top: 'x' });
    on.seed('alice', 'mytok', {
      top: '{"refresh_token":"r1"}',
      meta: '{"client_id":"me","client_secret":"s","token_url":"https://issuer.example/token"}',
    });
    await pass(on);
    expect([on.has('alice', 'scitokens.use'), on.has('alice', 'mytok.use')]).toEqual([false, true]);
  });
});
