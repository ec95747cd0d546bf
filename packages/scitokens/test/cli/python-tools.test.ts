// The commands with the names of the Python tools, for scripts of existing sites.
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  createKeyCommand,
  createTokenCommand,
  verifyTokenCommand,
} from '../../src/cli/python-tools.ts';
import { readCompact } from '../../src/token/compact.ts';
import { issueToken, keyIdOf, readKey, writeKey } from '../../src/index.ts';
import { EC, MOMENT, publish, request, RSA } from '../testing.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

type Command = (argv: readonly string[], io: FakeIo) => Promise<number>;

async function run(
  command: Command,
  io: FakeIo,
  ...argv: string[]
): Promise<{ code: number; out: string }> {
  const code = await command(
    argv.map((word) => word.replace('DIR/', `${io.directory}/`)),
    io,
  );
  return { code, out: io.stdout() };
}

function world(): FakeIo {
  const io = fakeIo();
  writeFileSync(io.path('ec.pem'), writeKey({ ...EC, key: EC.privateKey }, 'pem-private'));
  writeFileSync(io.path('rsa.pem'), writeKey({ ...RSA, key: RSA.privateKey }, 'pem-private'));
  writeFileSync(io.path('open.pem'), writeKey({ ...EC, key: EC.privateKey }, 'pem-public'));
  return io;
}

describe('scitokens-admin-create-key', () => {
  it('creates an EC key with --ec and an RSA key without', async () => {
    const ec = await run(createKeyCommand, world(), '--ec', '--create-keys', '--pem-private');
    const rsa = await run(createKeyCommand, world(), '--create-keys', '--pem-private');
    expect([readKey(ec.out).algorithm, readKey(rsa.out).algorithm]).toEqual(['ES256', 'RS256']);
  });

  it('prints the forms in the order of the Python tool, for any order of the flags', async () => {
    const { out } = await run(
      createKeyCommand,
      world(),
      '--pem-public',
      '--pem-private',
      '--jwks-private',
      '--jwks-public',
      '--private-keyfile',
      'DIR/rsa.pem',
    );
    expect(
      out
        .split('\n')
        .filter((line) => /^[{-]/.test(line) || line.includes('"d"'))
        .map((line) => line.slice(0, 30)),
    ).toEqual([
      '{',
      '{',
      expect.stringContaining('"d"'),
      '-----BEGIN RSA PRIVATE KEY----',
      '-----END RSA PRIVATE KEY-----',
      '-----BEGIN PUBLIC KEY-----',
      '-----END PUBLIC KEY-----',
    ]);
  });

  it.each([
    ['rsa.pem', 'jwks-public', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
    ['ec.pem', 'jwks-public', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    ['rsa.pem', 'jwks-private', ['alg', 'd', 'dp', 'dq', 'e', 'kid', 'kty', 'n', 'p', 'q', 'qi']],
    ['ec.pem', 'jwks-private', ['crv', 'd', 'kid', 'kty', 'x', 'y']],
  ])('prints the members of %s as --%s', async (file, form, members) => {
    const { out } = await run(
      createKeyCommand,
      world(),
      '--private-keyfile',
      `DIR/${file}`,
      '--ec',
      `--${form}`,
    );
    const { keys } = JSON.parse(out) as { keys: Record<string, string>[] };
    expect(Object.keys(keys[0] ?? {})).toEqual(members);
    expect(keys[0]?.['kid']).toBe(keyIdOf((file === 'ec.pem' ? EC : RSA).privateKey));
    expect(out).toBe(`${JSON.stringify({ keys }, null, 4)}\n`);
  });

  it('prints nothing without a form', async () => {
    expect(await run(createKeyCommand, world(), '--create-keys', '--ec')).toEqual({
      code: 0,
      out: '',
    });
  });

  it.each([
    ['no source', ['--ec'], 2],
    ['two sources', ['--create-keys', '--public-keyfile', 'DIR/open.pem'], 2],
    ['an unknown flag', ['--create-keys', '--rsa'], 2],
    [
      'a private form of a public key',
      ['--public-keyfile', 'DIR/open.pem', '--jwks-public', '--pem-private'],
      1,
    ],
    ['a missing file', ['--public-keyfile', 'DIR/no'], 1],
  ])('refuses %s', async (_title, argv, code) => {
    expect(await run(createKeyCommand, world(), ...argv)).toEqual({ code, out: '' });
  });
});

describe('scitokens-admin-create-token', () => {
  it('signs the claims as strings, with the times of the Python library', async () => {
    const { out } = await run(
      createTokenCommand,
      world(),
      '--keyfile',
      'DIR/ec.pem',
      '--key_id',
      'k',
      '--issuer',
      'https://i.test',
      'scope=read:/a',
      'aud=A',
      'x=1=2',
    );
    const { header, claims } = readCompact(out.trim());
    expect(header).toEqual({ alg: 'ES256', kid: 'k', typ: 'JWT' });
    expect(claims).toEqual({
      scope: 'read:/a',
      aud: 'A',
      x: '1=2',
      iss: 'https://i.test',
      iat: 1_790_000_000,
      nbf: 1_790_000_000,
      exp: 1_790_001_200,
      jti: '00010203-0405-4607-8809-0a0b0c0d0e0f',
    });
  });

  it('omits the key id unless given', async () => {
    const { out } = await run(
      createTokenCommand,
      world(),
      '--keyfile',
      'DIR/rsa.pem',
      '--issuer',
      'https://i.test',
      '--lifetime',
      '60',
      'sub=a',
    );
    const { header, claims } = readCompact(out.trim());
    expect([header, claims['exp']]).toEqual([{ alg: 'RS256', typ: 'JWT' }, 1_790_000_060]);
  });

  it('--demo uses the public demonstration issuer', async () => {
    const sent: unknown[] = [];
    const io = fakeIo({
      send: async ({ method, url, body }) => {
        sent.push({ method, url, body });
        return { status: 200, headers: {}, body: Buffer.from('a.b.c\n') };
      },
    });
    expect(await run(createTokenCommand, io, '--demo', 'sub=a')).toEqual({
      code: 0,
      out: 'a.b.c\n',
    });
    expect(sent).toEqual([
      {
        method: 'POST',
        url: 'https://demo.scitokens.org/issue',
        body: '{"algorithm":"ES256","payload":{"sub":"a"}}',
      },
    ]);
  });

  it.each([
    ['no claims', ['--keyfile', 'DIR/ec.pem', '--issuer', 'https://i.test'], 2],
    ['a claim without =', ['--keyfile', 'DIR/ec.pem', '--issuer', 'https://i.test', 'x'], 2],
    ['no key', ['--issuer', 'https://i.test', 'x=1'], 2],
    ['no issuer', ['--keyfile', 'DIR/ec.pem', 'x=1'], 2],
    [
      'a lifetime that is not a number',
      ['--keyfile', 'DIR/ec.pem', '--issuer', 'https://i.test', '--lifetime', 'x', 'x=1'],
      2,
    ],
    [
      'an ambiguous scope',
      ['--keyfile', 'DIR/ec.pem', '--issuer', 'https://i.test', 'scope=read:/a/../b'],
      1,
    ],
    [
      'a version that verifiers reject',
      ['--keyfile', 'DIR/ec.pem', '--issuer', 'https://i.test', 'ver=scitoken:1.0'],
      1,
    ],
  ])('refuses %s', async (_title, argv, code) => {
    expect(await run(createTokenCommand, world(), ...argv)).toEqual({ code, out: '' });
  });
});

describe('scitokens-verify-token', () => {
  const token = issueToken(
    EC,
    request({ claims: { list: ['a', 1, true, null], "it's": {} } }),
    MOMENT,
  );
  const issuer: Record<string, unknown> = {
    'https://issuer.test/vo/.well-known/openid-configuration': {
      issuer: 'https://issuer.test/vo',
      jwks_uri: 'https://issuer.test/k',
    },
    'https://issuer.test/k': publish(EC).document,
  };
  const online = (): FakeIo =>
    fakeIo({
      send: async ({ url }) => ({
        status: 200,
        headers: {},
        body: Buffer.from(JSON.stringify(issuer[url] ?? {})),
      }),
    });

  it('prints nothing for a valid token, and its claims with -v', async () => {
    expect(await run(verifyTokenCommand, online(), token)).toEqual({ code: 0, out: '' });
    const { out } = await run(verifyTokenCommand, online(), '-v', token);
    expect(out).toMatch(/^Claims:\n\('ver', 'scitoken:2\.0'\)\n/);
    expect(out).toContain(`('exp', 1790000600)\n`);
    expect(out).toContain(`('list', ['a', 1, True, None])\n("it's", {})\n`);
  });

  it('exits 1 for an invalid token, unlike the Python tool', async () => {
    expect(await run(verifyTokenCommand, online(), `${token}x`)).toEqual({ code: 1, out: '' });
    expect(await run(verifyTokenCommand, online(), '--token', 'x')).toEqual({ code: 1, out: '' });
  });

  it('exits 2 for wrong usage', async () => {
    expect((await run(verifyTokenCommand, online(), 'a', 'b')).code).toBe(2);
    expect((await run(verifyTokenCommand, online(), '--bogus')).code).toBe(2);
  });
});
