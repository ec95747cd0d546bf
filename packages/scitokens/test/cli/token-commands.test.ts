// `scitokens token explain`: files, keys, output and exit codes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scitokens } from '../../src/cli/command-line.ts';
import { issueToken } from '../../src/index.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, MOMENT, NOW, publish, request, RSA } from '../testing.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

const TOKEN = issueToken(EC, request(), MOMENT);
const CFG = [
  '[Global]',
  'audience = https://storage.test',
  '[Issuer vo]',
  'issuer = https://issuer.test/vo',
  'base_path = /vo',
  'default_user = vo',
];

function world(options: Parameters<typeof fakeIo>[0] = {}): FakeIo {
  const io = fakeIo({ input: TOKEN, ...options });
  writeFileSync(io.path('cfg'), CFG.join('\n'));
  writeFileSync(io.path('jwks.json'), JSON.stringify(publish(EC).document));
  mkdirSync(io.path('maps.d'));
  writeFileSync(io.path('map'), '@include maps.d\n@include none\nSCITOKENS /.*/ other');
  writeFileSync(io.path('maps.d/10.conf'), '# none\nSCITOKENS "https://issuer.test/vo,bob" bob');
  writeFileSync(
    io.path('maps.d/20.conf'),
    'SCITOKENS /^https:\\/\\/issuer\\.test\\/vo,(.*)$/ \\1\n',
  );
  writeFileSync(io.path('maps.d/05.conf~'), 'SCITOKENS /.*/ backup');
  return io;
}

async function run(
  io: FakeIo,
  ...argv: string[]
): Promise<{ code: number; out: string; error: string }> {
  const words = argv.map((word) => word.replace('DIR/', `${io.directory}/`));
  const code = await scitokens(['token', 'explain', ...words], io);
  const plain = (text: string): string => text.replaceAll(`${io.directory}/`, 'DIR/');
  return { code, out: plain(io.stdout()), error: plain(io.stderr()) };
}

const XROOTD = ['--scitokens-cfg', 'DIR/cfg', '--jwks', 'DIR/jwks.json'];
const MAP = ['--mapfile', 'DIR/map', '--jwks', 'DIR/jwks.json'];

describe('token explain', () => {
  it('prints one line for each step of XRootD, and the decision last', async () => {
    const request = ['--path', '/vo/home/alice/f', '--op', 'read'];
    expect(await run(world(), ...XROOTD, ...request)).toEqual({
      code: 0,
      out: [
        'issuer     ok  https://issuer.test/vo is [Issuer vo] (DIR/cfg:4)',
        'signature  ok  valid, ES256',
        'profile    ok  scitoken:2.0',
        'times      ok  expires in 9m59s',
        'audience   ok  https://storage.test (DIR/cfg:2)',
        'subject    ok  alice',
        'scopes     ok  read:/home/alice',
        'user       ok  vo, default_user (DIR/cfg:6)',
        'path       ok  read on /vo/home/alice/f: read:/home/alice below base_path /vo (DIR/cfg:5)',
        'accepted: read /vo/home/alice/f as vo',
        '',
      ].join('\n'),
      error: '',
    });
  });

  it('refuses with exit code 1 and marks the step', async () => {
    const result = await run(world(), ...XROOTD, '--path', '/vo', '--op', 'write');
    expect(result).toMatchObject({ code: 1, error: '' });
    expect(result.out).toContain('path       REFUSED  no scope allows write');
    expect(result.out).toMatch(/\nrefused: write \/vo \(path\)\n$/);
  });

  it('prints the same as JSON, without the token', async () => {
    const result = await run(world(), ...XROOTD, '--audience', 'x', '--json');
    expect(result.code).toBe(1);
    expect(JSON.parse(result.out)).toMatchObject({
      accepted: false,
      signature: 'valid',
      verdict: 'refused: the token (audience)',
    });
    for (const part of TOKEN.split('.')) expect(result.out).not.toContain(part);
  });

  it.each([
    ['by the first line of a directory', [], 'alice (DIR/maps.d/20.conf:1)'],
    ['with slashes as part of the expression', ['--no-assume-hash-keys'], 'other (DIR/map:3)'],
  ])('maps a token %s', async (_title, options, user) => {
    const io = world();
    if (options.length > 0) writeFileSync(io.path('map'), 'X a b\n\nSCITOKENS vo,al other');
    const result = await run(io, ...MAP, ...options);
    expect(result.code).toBe(0);
    expect(result.out).toContain(`user       ok    ${user}\n`);
    expect(result.error).toBe(
      options.length > 0 ? '' : 'note: DIR/map includes DIR/none, which does not exist\n',
    );
  });

  it.each([
    ['no issuer that answers', [], 'no network here'],
    ['an issuer without https', [], 'or allow http with --insecure'],
  ])('says plainly that the signature was not checked: %s', async (title, options, text) => {
    const issuer = title.includes('https') ? 'http://issuer.test/vo' : 'https://issuer.test/vo';
    const io = world({ input: issueToken(EC, request({ issuer }), MOMENT) });
    writeFileSync(io.path('cfg'), CFG.join('\n').replace('https://issuer.test/vo', issuer));
    const result = await run(io, '--scitokens-cfg', 'DIR/cfg', ...options);
    expect(result.code).toBe(0);
    expect(result.out).toMatch(/signature  note  NOT CHECKED: .*--jwks FILE/);
    expect(result.out).toContain(text);
    expect(result.out).toMatch(/\naccepted: .*: it was not checked\n$/);
  });

  it('asks no issuer that is not configured for keys', async () => {
    const token = issueToken(EC, request({ issuer: 'https://other.test' }), MOMENT);
    const io = world({ input: token, send: () => expect.unreachable() });
    const result = await run(io, '--scitokens-cfg', 'DIR/cfg');
    expect(result.code).toBe(1);
    expect(result.out).toContain('signature  note     NOT CHECKED: the issuer is not configured');
  });

  it.each([
    ['of another key', signUnchecked({ ...RSA, kid: 'ec' }, {}), 'does not match the key'],
    ['of a key that is not published', issueToken(RSA, request(), MOMENT), 'unknown key id'],
    [
      'with an algorithm that is not accepted',
      TOKEN.replace(/^[^.]*/, Buffer.from('{"alg":"none"}').toString('base64url')),
      'the algorithm none is not accepted',
    ],
  ])('refuses a signature %s', async (_title, token, reason) => {
    const result = await run(world({ input: token }), ...XROOTD);
    expect(result.code).toBe(1);
    expect(result.out).toMatch(/^signature {2}REFUSED {2}.*$/m);
    expect(result.out).toContain(reason);
  });

  it('shows claims without characters that control a terminal', async () => {
    const sub = 'al\u001b[31mice\nok';
    const input = signUnchecked(EC, { iss: 'https://issuer.test/vo', sub, scope: '' });
    const { out } = await run(world({ input, now: NOW }), ...XROOTD);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('al\\u001b[31mice\\u000aok');
  });

  it.each([
    ['neither file', [], 'exactly one of --scitokens-cfg FILE and --mapfile FILE'],
    ['both files', [...XROOTD, '--mapfile', 'DIR/map'], 'exactly one of'],
    ['a path alone', [...XROOTD, '--path', '/x'], '--path and --op are only allowed together'],
    [
      'an unknown operation',
      [...XROOTD, '--path', '/x', '--op', 'eat'],
      'must be one of read, list',
    ],
    ['a path for a map file', [...MAP, '--path', '/x'], '--path is only for --scitokens-cfg'],
    ['an operation in small letters', [...MAP, '--op', 'read'], 'such as READ or WRITE'],
  ])('is misused with %s', async (_title, options, problem) => {
    const result = await run(world(), ...options);
    expect([result.code, result.out]).toEqual([2, '']);
    expect(result.error).toContain(problem);
  });

  it('needs a file that it can read', async () => {
    const result = await run(world(), '--scitokens-cfg', 'DIR/missing');
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.error).toContain('DIR/missing does not exist [TOKEN_UNREADABLE]');
  });

  it('has a help text', async () => {
    const { code, out } = await run(world(), '--help');
    expect(code).toBe(0);
    expect(out).toContain('--scitokens-cfg');
    expect(out).toContain('Exit status: 0 accepted, 1 refused, 2 usage error.');
  });
});
