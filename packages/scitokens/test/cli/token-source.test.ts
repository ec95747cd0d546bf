// The token of a command: bare, or inside the JSON of HTCondor's `.use` files, from every
// source.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verifyTokenCommand } from '../../src/cli/python-tools.ts';
import { scitokens } from '../../src/cli/command-line.ts';
import { issueToken } from '../../src/index.ts';
import { EC, MOMENT, request } from '../testing.ts';
import { fakeIo, type FakeIo } from './fake-io.ts';

const CASE = fileURLToPath(new URL('../../../../test-fixtures/data/json-use/', import.meta.url));
const JSON_USE = readFileSync(join(CASE, 'scitokens.use'), 'utf8');
const BARE_USE = readFileSync(join(CASE, 'bare.use'), 'utf8');
const FILE = join(CASE, 'scitokens.use');
const KEYS = ['--jwks', join(CASE, 'jwks.json')];
const VERIFY = ['token', 'verify', ...KEYS, '--audience', 'https://storage.example.org'];
const INSPECT = ['token', 'inspect'];
const ACLS = ['token', 'acls', ...KEYS];

interface Result {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function run(argv: readonly string[], io: FakeIo = fakeIo()): Promise<Result> {
  const code = await scitokens(argv, io);
  return { code, out: io.stdout(), error: io.stderr() };
}

/** A directory of a job with these `.use` files, and the environment that names it. */
function job(files: Readonly<Record<string, string>>): FakeIo {
  const environment: Record<string, string> = {};
  const io = fakeIo({ environment });
  const creds = io.path('creds');
  mkdirSync(creds);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(creds, name), text);
  return { ...io, environment: { ...io.environment, _CONDOR_CREDS: creds } };
}

const noteFor = (source: string): string =>
  `note: ${source} is JSON, but most other programs read only the bare token; ` +
  'fix: the administrator sets LOCAL_CREDMON_TOKEN_USE_JSON = false ' +
  '(for a login provider: CREDMON_<PROVIDER>_TOKEN_USE_JSON = false)\n';

describe('a token inside JSON', () => {
  it.each([
    ['inspect', INSPECT],
    ['verify', VERIFY],
    ['acls', ACLS],
  ])('is read by token %s from a file, standard input and BEARER_TOKEN_FILE', async (_n, argv) => {
    const bare = await run([...argv, `@${join(CASE, 'bare.use')}`]);
    expect(bare).toMatchObject({ code: 0, error: '' });
    const fromFile = await run([...argv, `@${FILE}`]);
    const fromInput = await run([...argv, '-'], fakeIo({ input: JSON_USE }));
    const fromPipe = await run(argv, fakeIo({ input: JSON_USE }));
    const environment = { BEARER_TOKEN_FILE: FILE };
    const fromVariable = await run(argv, fakeIo({ environment }));
    expect([fromFile, fromInput, fromPipe, fromVariable]).toEqual([
      { ...bare, error: noteFor(FILE) },
      { ...bare, error: noteFor('standard input') },
      { ...bare, error: noteFor('standard input') },
      { ...bare, error: noteFor(FILE) },
    ]);
  });

  it('is read from BEARER_TOKEN and from the argument', async () => {
    const environment = { BEARER_TOKEN: JSON_USE };
    expect([
      await run(INSPECT, fakeIo({ environment })),
      await run([...INSPECT, JSON_USE]),
    ]).toMatchObject([
      { code: 0, error: noteFor('BEARER_TOKEN') },
      { code: 0, error: noteFor('the argument') },
    ]);
  });

  it('is read by scitokens-verify-token from all these sources', async () => {
    const token = issueToken(EC, request(), MOMENT);
    const text = JSON.stringify({ access_token: token, expires_in: 600 });
    const results: unknown[] = [];
    for (const [argv, options] of [
      [['@DIR/x.use'], {}],
      [['--token', '@DIR/x.use'], {}],
      [['-'], { input: text }],
      [[], { input: text }],
      [[], { environment: { BEARER_TOKEN: text } }],
    ] as const) {
      const io = fakeIo(options);
      writeFileSync(io.path('x.use'), text);
      const words = argv.map((word) => word.replace('DIR/', `${io.directory}/`));
      const code = await verifyTokenCommand(words, io);
      // The issuer is asked for its keys: the token itself was read.
      results.push([code, /\[(\w+)\]\n$/.exec(io.stderr())?.[1], io.stderr().includes('note: ')]);
    }
    expect(results).toEqual(results.map(() => [1, 'ISSUER_UNREACHABLE', true]));
  });

  it.each([
    ['JSON without access_token', '{"token":"x"}'],
    ['an access_token that is a number', '{"access_token":1}'],
    ['broken JSON', '{"access_token":"SECRET'],
    ['an empty access_token', '{"access_token":" "}'],
  ])('is missing in %s: the error says so and quotes nothing', async (_title, text) => {
    const io = fakeIo();
    writeFileSync(io.path('x.use'), text);
    const path = io.path('x.use');
    const expected = {
      code: 1,
      out: '',
      error:
        `scitokens: invalid token in ${path}: neither a bare token nor a JSON object with ` +
        'a string "access_token" [TOKEN_MALFORMED]\n',
    };
    expect(await run([...INSPECT, `@${path}`], io)).toEqual(expected);
    const found = fakeIo({ environment: { BEARER_TOKEN_FILE: path } });
    expect(await run(INSPECT, found)).toEqual(expected);
  });

  it('with control characters in the name of its file gives one line of note', async () => {
    const io = fakeIo();
    const path = io.path('x\n\u001b[2J.use');
    writeFileSync(path, JSON_USE);
    const { error } = await run([...INSPECT, `@${path}`], io);
    expect(error).toMatch(/^note: \S+x\\u000a\\u001b\[2J\.use is JSON[^\n]+\n$/);
  });
});

describe("a job's credential directory", () => {
  it('is the last place of discovery, if it has exactly one token', async () => {
    const io = job({ 'scitokens.use': BARE_USE, 'readme.txt': 'x', '.hidden.use': 'x' });
    expect(await run(VERIFY, io)).toMatchObject({ code: 0, error: '' });
    const json = job({ 'scitokens.use': JSON_USE });
    expect(await run(VERIFY, json)).toMatchObject({
      code: 0,
      error: noteFor(join(json.path('creds'), 'scitokens.use')),
    });
  });

  it('with several tokens is not used; the error lists them', async () => {
    const io = job({ 'b.use': BARE_USE, 'a.use': BARE_USE });
    expect(await run(VERIFY, io)).toEqual({
      code: 1,
      out: '',
      error:
        `scitokens: no token found: ${io.path('creds')} has several (a.use, b.use); ` +
        `pass one, for example @${io.path('creds')}/a.use [TOKEN_NOT_FOUND]\n`,
    });
  });

  it.each([
    ['without tokens', {}],
    ['with an empty token', { 'a.use': '' }],
  ])('%s gives the usual error', async (_title, files) => {
    expect(await run(VERIFY, job(files))).toMatchObject({
      code: 1,
      error:
        'scitokens: no token found: set BEARER_TOKEN or BEARER_TOKEN_FILE, or pass a token ' +
        '[TOKEN_NOT_FOUND]\n',
    });
  });

  it('comes after standard input and after every other place', async () => {
    const { environment } = job({ 'a.use': 'not-a-token' });
    const piped = { ...fakeIo({ input: BARE_USE }), environment };
    expect(await run(VERIFY, piped)).toMatchObject({ code: 0, error: '' });
    const named = fakeIo({
      environment: { ...environment, BEARER_TOKEN_FILE: join(CASE, 'bare.use') },
    });
    expect(await run(VERIFY, named)).toMatchObject({ code: 0, error: '' });
  });
});
