// The `scitokens` command: its output, its errors and its exit codes.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scitokens } from '../../src/cli/command-line.ts';
import { issueToken, writeKey } from '../../src/index.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, MOMENT, NOW, publish, request } from '../testing.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

const TOKEN = issueToken(EC, request(), MOMENT);
const CREATE = ['token', 'create', '--issuer', 'https://issuer.test/vo', '--subject', 'alice'];

/** An environment with the issuer's key set and private key as files. */
function world(options: Parameters<typeof fakeIo>[0] = {}): FakeIo {
  const io = fakeIo(options);
  writeFileSync(io.path('jwks.json'), JSON.stringify(publish(EC).document));
  writeFileSync(io.path('key.pem'), writeKey({ ...EC, key: EC.privateKey }, 'pem-private'));
  return io;
}

async function run(
  io: FakeIo,
  ...argv: string[]
): Promise<{ code: number; out: string; error: string }> {
  const code = await scitokens(
    argv.map((word) => word.replace('DIR/', `${io.directory}/`)),
    io,
  );
  return { code, out: io.stdout(), error: io.stderr() };
}

describe('token verify', () => {
  const verify = ['token', 'verify', '--jwks', 'DIR/jwks.json'];

  it('accepts a token from the argument, a file, standard input and discovery', async () => {
    const file = world();
    writeFileSync(file.path('t'), ` ${TOKEN}\n`);
    const results = [
      await run(world(), ...verify, TOKEN),
      await run(file, ...verify, '@DIR/t'),
      await run(world({ input: `${TOKEN}\n` }), ...verify, '-'),
      await run(world({ input: `${TOKEN}\n` }), ...verify),
      await run(world({ environment: { BEARER_TOKEN: TOKEN } }), ...verify),
    ];
    const line =
      /^accepted: scitoken:2\.0, ES256, issuer https:\/\/issuer\.test\/vo, until \d{4}-.* \(9m59s left\)\n$/;
    expect(results).toEqual(
      results.map(() => ({ code: 0, out: expect.stringMatching(line), error: '' })),
    );
  });

  it('does not wait for a pipe when a variable has a token', async () => {
    const io = {
      ...world({ environment: { BEARER_TOKEN: TOKEN } }),
      isPiped: () => true,
      readInput: () => expect.unreachable(),
    };
    expect((await run(io, ...verify)).code).toBe(0);
  });

  it.each([
    ['for another audience', ['--audience', 'x'], 'TOKEN_WRONG_AUDIENCE'],
    ['of another issuer', ['--issuer', 'https://other.test'], 'TOKEN_UNKNOWN_ISSUER'],
    ['without the requested authorization', ['--test', 'write:/home/alice'], 'TOKEN_DENIED'],
  ])('rejects a token %s with code 1 and the reason', async (_title, options, code) => {
    const result = await run(world(), ...verify, TOKEN, ...options);
    expect(result).toEqual({
      code: 1,
      out: '',
      error: expect.stringMatching(new RegExp(`^scitokens: .* \\[${code}\\]\\n$`)),
    });
  });

  it('accepts a token with all requested authorizations', async () => {
    const options = [
      '--audience',
      'https://storage.test',
      '--test',
      'read:/home/alice/a',
      '--test',
      'read:/home/alice',
    ];
    expect((await run(world(), ...verify, TOKEN, ...options)).code).toBe(0);
  });

  it('prints the same as JSON', async () => {
    const good = await run(world(), ...verify, TOKEN, '--json');
    expect(JSON.parse(good.out)).toEqual({
      accepted: true,
      profile: 'scitoken:2.0',
      algorithm: 'ES256',
      claims: expect.objectContaining({ sub: 'alice' }),
      secondsLeft: 599,
    });
    const bad = await run(world({ now: NOW + 600 }), ...verify, TOKEN, '--json');
    expect([bad.code, JSON.parse(bad.out)]).toEqual([
      1,
      { accepted: false, code: 'TOKEN_EXPIRED', reason: 'the token expired 1 s ago' },
    ]);
  });

  it("fetches the issuer's keys when none are given, and caches them for the next process", async () => {
    const answers: Record<string, unknown> = {
      'https://issuer.test/vo/.well-known/openid-configuration': {
        issuer: 'https://issuer.test/vo',
        jwks_uri: 'https://issuer.test/k',
      },
      'https://issuer.test/k': publish(EC).document,
    };
    const asked: string[] = [];
    const io = world({
      send: async ({ url }) => {
        asked.push(url);
        return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(answers[url])) };
      },
    });
    expect((await run(io, 'token', 'verify', TOKEN)).code).toBe(0);
    expect((await run(io, 'token', 'verify', TOKEN)).code).toBe(0);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['no token anywhere', [], 1, 'TOKEN_NOT_FOUND'],
    ['a missing file', ['@/nowhere'], 1, 'TOKEN_UNREADABLE'],
    ['an unknown option', [TOKEN, '--bogus'], 2, 'Try'],
    ['a key set that is not JSON', [TOKEN, '--jwks', 'DIR/key.pem'], 2, 'Try'],
  ])('with %s', async (_title, options, code, text) => {
    const base = options.includes('--jwks') ? ['token', 'verify'] : verify;
    const result = await run(world(), ...base, ...options);
    expect([result.code, result.error.includes(text)]).toEqual([code, true]);
  });
});

describe('R43 a token in the wrong argument', () => {
  it.each([
    [['token', TOKEN]],
    [[TOKEN]],
    [['token', 'verify', 'x', TOKEN]],
    [['key', 'list', 'x', TOKEN]],
  ])('is not repeated', async (argv) => {
    const result = await run(world(), ...argv);
    expect(result.code).toBe(2);
    expect(result.out + result.error).not.toContain(TOKEN.slice(0, 30));
  });
});

describe('token create', () => {
  it('issues a token that verify accepts', async () => {
    const io = world();
    const made = await run(
      io,
      ...CREATE,
      '--key',
      'DIR/key.pem',
      '--kid',
      'ec',
      '--audience',
      'a',
      '--scope',
      'read:/a',
      '--scope',
      'write:/b',
      '--claim',
      'vo=x',
      '--claim-json',
      'n=[1]',
      '--json',
    );
    const { token, header, claims } = JSON.parse(made.out) as {
      token: string;
      header: unknown;
      claims: unknown;
    };
    expect([header, claims]).toEqual([
      { alg: 'ES256', kid: 'ec', typ: 'JWT' },
      expect.objectContaining({
        sub: 'alice',
        aud: 'a',
        scope: 'read:/a write:/b',
        vo: 'x',
        n: [1],
        ver: 'scitoken:2.0',
      }),
    ]);
    expect((await run(world(), 'token', 'verify', '--jwks', 'DIR/jwks.json', token)).code).toBe(0);
  });

  it('writes a token file that only its owner can read, and prints nothing', async () => {
    const io = world();
    const { out } = await run(
      io,
      ...CREATE,
      '--key',
      'DIR/key.pem',
      '--profile',
      'wlcg',
      '--audience',
      'a',
      '--scope',
      'storage.read:/',
      '--out',
      'DIR/t',
    );
    expect([out, statSync(io.path('t')).mode & 0o777]).toEqual(['', 0o600]);
    expect(readFileSync(io.path('t'), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it.each([
    ['an ambiguous scope', ['--key', 'DIR/key.pem', '--audience', 'a', '--scope', 'read:/../x'], 1],
    ['no key', ['--audience', 'a', '--scope', 'read:/'], 2],
    ['a public key', ['--key', 'DIR/jwks.json', '--audience', 'a', '--scope', 'read:/'], 1],
    [
      'a claim without value',
      ['--key', 'DIR/key.pem', '--audience', 'a', '--scope', 'read:/', '--claim', 'x'],
      2,
    ],
    [
      'a claim that is not JSON',
      ['--key', 'DIR/key.pem', '--audience', 'a', '--scope', 'read:/', '--claim-json', 'x={'],
      2,
    ],
    ['no subject', ['--key', 'DIR/key.pem', '--scope', 'read:/', '--subject', ''], 1],
  ])('refuses %s', async (_title, options, code) => {
    const result = await run(world(), ...CREATE, ...options);
    expect([result.code, result.out]).toEqual([code, '']);
  });
});

describe('token acls and inspect', () => {
  it('acls prints a decoded path on one line, without control characters', async () => {
    const claims = { iss: 'https://issuer.test/vo', scope: 'read:/a%0Ab%1B' };
    const times = { iat: NOW - 1, nbf: NOW - 1, exp: NOW + 600.5 };
    const token = signUnchecked(EC, { ...claims, ...times });
    const result = await run(world(), 'token', 'acls', '--jwks', 'DIR/jwks.json', token);
    expect(result).toEqual({ code: 0, out: 'read:/a\\u000ab\\u001b\n', error: '' });
  });

  it('list the authorizations of a token', async () => {
    const result = await run(world(), 'token', 'acls', '--jwks', 'DIR/jwks.json', TOKEN);
    expect(result).toEqual({ code: 0, out: 'read:/home/alice\n', error: '' });
  });

  it('show header, claims, local times and the remaining lifetime', async () => {
    const { out } = await run(world(), 'token', 'inspect', TOKEN);
    expect(
      out
        .split('\n')
        .map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$/, 'TIME')),
    ).toEqual([
      'header alg  ES256',
      'header kid  ec',
      'header typ  JWT',
      'ver         scitoken:2.0',
      'iss         https://issuer.test/vo',
      'sub         alice',
      'aud         https://storage.test',
      'scope       read:/home/alice',
      'iat         1790000000  TIME',
      'nbf         1790000000  TIME',
      'exp         1790000600  TIME',
      'jti         00010203-0405-4607-8809-0a0b0c0d0e0f',
      'lifetime    9m59s left',
      'signature   not verified',
      '',
    ]);
  });

  it('show since when a token has expired, without verification', async () => {
    const result = await run(world({ now: NOW + 4199.25 }), 'token', 'inspect', `${TOKEN}AA`);
    expect(result.out).toContain('lifetime    expired 1h00m ago\n');
    expect(JSON.parse((await run(world(), 'token', 'inspect', TOKEN, '--json')).out)).toMatchObject(
      {
        verified: false,
        secondsLeft: 599,
      },
    );
  });
});

describe('key', () => {
  it('create prints a key, or stores it with its public keys', async () => {
    expect((await run(world(), 'key', 'create')).out).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
    const io = world();
    const made = await run(
      io,
      'key',
      'create',
      '--algorithm',
      'RS256',
      '--kid',
      'k',
      '--out',
      'DIR/a',
      '--public',
      'DIR/b',
      '--jwks',
      'DIR/c',
    );
    expect(made.out).toBe(`${io.path('a')}: RS256 key k\n`);
    expect(['a', 'b', 'c'].map((name) => statSync(io.path(name)).mode & 0o777)).toEqual([
      0o600, 0o644, 0o644,
    ]);
    expect((await run(io, 'key', 'create', '--out', 'DIR/a')).code).toBe(2);
    expect((await run(io, 'key', 'create', '--out', 'DIR/a', '--force')).code).toBe(0);
  });

  it('convert writes all forms', async () => {
    const jwks = await run(
      world(),
      'key',
      'convert',
      'DIR/key.pem',
      '--form',
      'jwks-public',
      '--kid',
      'ec',
    );
    expect(JSON.parse(jwks.out)).toEqual(publish(EC).document);
    expect((await run(world(), 'key', 'convert', 'DIR/key.pem', '--form', 'pkcs8')).out).toMatch(
      /^-----BEGIN PRIVATE KEY/,
    );
    expect(
      (await run(world(), 'key', 'convert', 'DIR/jwks.json', '--form', 'pem-private')).code,
    ).toBe(1);
  });

  it('R32 rotate, publish and list handle the states of a key, and create signs with the active one', async () => {
    const io = world();
    await run(io, 'key', 'rotate', 'DIR/keys', '--longest-lifetime', '5000');
    expect(
      (await run(io, ...CREATE, '--keys', 'DIR/keys', '--audience', 'a', '--scope', 'read:/')).code,
    ).toBe(1);
    await run(
      io,
      'key',
      'publish',
      'DIR/web',
      '--issuer',
      'https://issuer.test/vo',
      '--keys',
      'DIR/keys',
    );
    await run(io, 'key', 'rotate', 'DIR/keys');
    expect(
      (
        await run(
          io,
          ...CREATE,
          '--keys',
          'DIR/keys',
          '--audience',
          'a',
          '--scope',
          'read:/',
          '--lifetime',
          '5000',
          '--out',
          'DIR/t',
        )
      ).code,
    ).toBe(0);
    expect(
      (await run(io, 'token', 'verify', '--jwks', 'DIR/web/.well-known/jwks.json', '@DIR/t')).code,
    ).toBe(0);
    const listed = world();
    await run(listed, 'key', 'list', join(io.directory, 'keys'), '--json');
    expect(JSON.parse(listed.stdout())).toMatchObject({
      publishLead: 345_600,
      longestLifetime: 5000,
      keys: [{ state: 'active' }],
    });
    const table = world();
    await run(table, 'key', 'list', join(io.directory, 'keys'));
    expect(table.stdout()).toMatch(
      /^KID +ALG +STATE +CREATED .*\n[0-9a-f]{4} +ES256 +active +\d{4}-/,
    );
  });

  it('publish also accepts key files', async () => {
    const io = world();
    await run(
      io,
      'key',
      'publish',
      'DIR/web',
      '--issuer',
      'https://i.test',
      '--key',
      'DIR/key.pem',
    );
    const { keys } = JSON.parse(readFileSync(io.path('web/.well-known/jwks.json'), 'utf8')) as {
      keys: object[];
    };
    expect(keys).toEqual([expect.not.objectContaining({ d: expect.anything() })]);
    expect((await run(io, 'key', 'publish', 'DIR/web', '--issuer', 'https://i.test')).code).toBe(2);
  });
});

describe('cache', () => {
  const issuer = 'https://issuer.test/vo';

  it('add, list, update and remove maintain the cache, which verify uses without network', async () => {
    const io = world();
    await run(io, 'cache', 'add', issuer, '--jwks', 'DIR/jwks.json');
    expect((await run(io, 'token', 'verify', TOKEN)).code).toBe(0);
    expect((await run(io, 'cache', 'list')).out).toMatch(
      /ISSUER +FETCHED +KEYS\nhttps:\/\/issuer\.test\/vo +2026-.* +ec\n$/,
    );
    expect((await run(io, 'cache', 'update')).error).toContain('[ISSUER_UNREACHABLE]');
    expect((await run(io, 'cache', 'remove', issuer)).code).toBe(0);
    expect((await run(io, 'cache', 'remove', issuer)).code).toBe(1);
    const empty = fakeIo();
    await run(empty, 'cache', 'list', '--json');
    expect(JSON.parse(empty.stdout())).toEqual({ issuers: [] });
  });

  it('add rejects an invalid key set', async () => {
    expect((await run(world(), 'cache', 'add', issuer, '--jwks', 'DIR/key.pem')).code).toBe(2);
  });
});

describe('algorithms beyond the two that every verifier supports', () => {
  it('are used for signing and accepted only on request', async () => {
    const io = world();
    await run(io, 'key', 'create', '--algorithm', 'ES384', '--out', 'DIR/k', '--jwks', 'DIR/j');
    const create = [
      ...CREATE,
      '--key',
      'DIR/k',
      '--audience',
      'a',
      '--scope',
      'read:/',
      '--out',
      'DIR/t',
    ];
    expect((await run(io, ...create)).code).toBe(1);
    expect((await run(io, ...create, '--algorithm', 'ES384')).code).toBe(0);
    expect((await run(io, 'token', 'verify', '@DIR/t', '--jwks', 'DIR/j')).code).toBe(1);
    expect(
      (await run(io, 'token', 'verify', '@DIR/t', '--jwks', 'DIR/j', '--algorithm', 'ES384')).code,
    ).toBe(0);
  });
});

it.each([[], ['key'], ['token'], ['cache']])('the help of %j has examples', async (...words) => {
  const { out } = await run(world(), ...words, '--help');
  const shown = /\nExamples:\n((?: {2}\S.*\n)+)$/.exec(out)?.[1] ?? '';
  const lines = shown.split('\n').filter((line) => line !== '');
  const own = lines.filter((line) => line.startsWith(`  scitokens ${words.join(' ')}`));
  expect([own.length > 1, lines.length]).toEqual([true, own.length * 2]);
});

it('help is printed with code 0; no arguments are a usage error', async () => {
  expect((await run(world(), '--help')).out).toContain('scitokens token');
  expect((await run(world())).code).toBe(2);
});

it.each([
  [
    'token create --lifetime',
    ['token', 'create', '--issuer', 'i', '--subject', 's', '--scope', 'x', '--lifetime'],
  ],
  ['token verify --leeway', ['token', 'verify', 'x', '--leeway']],
  ['key rotate --publish-lead', ['key', 'rotate', '/nowhere', '--publish-lead']],
  ['key rotate --longest-lifetime', ['key', 'rotate', '/nowhere', '--longest-lifetime']],
])('%s accepts only whole seconds; other values are usage errors', async (name, argv) => {
  const option = name.split(' ').at(-1) ?? '';
  for (const text of ['abc', '-1', '1.5', '1e3', '']) {
    const [last = ''] = argv.slice(-1);
    const result = await run(world(), ...argv.slice(0, -1), `${last}=${text}`);
    expect([text, result.code, result.error]).toEqual([
      text,
      2,
      expect.stringContaining(`${option} must be a whole number of seconds`),
    ]);
  }
});
