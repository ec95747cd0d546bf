// Tokens of our commands at a real XRootD: the table of what it accepts, the recipe of a site, and Debian's own verifiers.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createKey,
  readSigningKey,
  signClaims,
  writeKey,
  type JsonObject,
  type SigningKey,
} from '@credmon/scitokens';
import { blocks, readPage, runBlocks } from './pages.ts';
import { startRig, type Rig, type Sections } from './rig.ts';

const run = promisify(execFile);
const BIN = fileURLToPath(new URL('../../../packages/scitokens/dist/bin/', import.meta.url));
const AUDIENCE = 'https://storage.test';
let rig: Rig;

/** Runs one of our executables, as an administrator would. */
async function command(name: string, ...argv: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(BIN, `${name}.js`), ...argv]);
  return stdout;
}

const PAGE = readPage('scitokens-xrootd.md');

/** The issuer sections that docs/scitokens-xrootd.md gives, with our issuers in place of its own. */
function sectionsOfPage(issuers: string): Sections {
  const text = blocks(PAGE, 'ini').join('').replaceAll('https://issuer.example.org', issuers);
  const found = [...text.matchAll(/^\[Issuer (\w+)\]\n((?:.+\n)*)/gm)];
  return Object.fromEntries(found.map(([, name = '', lines = '']) => [name, lines.trim().split('\n')]));
}

const keys = (issuer: string): string => join(rig.directory, 'keys', issuer);

/** Makes an issuer: a key directory whose first key is published and active. */
async function makeIssuer(name: string, algorithm: string): Promise<void> {
  await command(
    'scitokens',
    'key',
    'rotate',
    keys(name),
    '--algorithm',
    algorithm,
    '--longest-lifetime',
    '9999999',
  );
  await command(
    'scitokens',
    'key',
    'publish',
    join(rig.directory, 'web', name),
    '--issuer',
    `${rig.issuers}/${name}`,
    '--keys',
    keys(name),
  );
  await command('scitokens', 'key', 'rotate', keys(name), '--algorithm', algorithm);
}

beforeAll(async () => {
  rig = await startRig(AUDIENCE, (issuers) => ({
    es: [`issuer = ${issuers}/es`, 'base_path = /'],
    rs: [`issuer = ${issuers}/rs`, 'base_path = /'],
    ...sectionsOfPage(issuers),
  }));
  mkdirSync(join(rig.directory, 'keys'));
  for (const name of ['es', 'osg', 'vo', 'unlisted']) await makeIssuer(name, 'ES256');
  await makeIssuer('rs', 'RS256');
});
afterAll(() => rig?.stop());

/** Issues a token with our command. */
async function token(issuer: string, scope: string, ...options: string[]): Promise<string> {
  const base = [
    '--keys',
    keys(issuer),
    '--issuer',
    `${rig.issuers}/${issuer}`,
    '--subject',
    'alice',
    '--scope',
    scope,
  ];
  const audience = options.includes('--audience') ? [] : ['--audience', AUDIENCE];
  return (await command('scitokens', 'token', 'create', ...base, ...audience, ...options)).trim();
}

/** The active key of an issuer, to sign what our command refuses to. */
function keyOf(issuer: string): SigningKey {
  const index = JSON.parse(readFileSync(join(keys(issuer), 'keys.json'), 'utf8')) as {
    keys: { file: string; kid: string }[];
  };
  const { file, kid } = index.keys[0] ?? { file: '', kid: '' };
  return readSigningKey(readFileSync(join(keys(issuer), file), 'utf8'), { kid });
}

function claims(changes: object = {}): JsonObject {
  const now = Math.floor(Date.now() / 1000);
  const base = {
    iss: `${rig.issuers}/es`,
    sub: 'alice',
    aud: AUDIENCE,
    scope: 'read:/home/alice write:/home/alice',
  };
  const all = { ...base, iat: now, nbf: now, exp: now + 600, jti: String(Math.random()), ...changes };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** XRootD knows the header by this spelling only, which `fetch` would not keep. */
function exchange(
  method: string,
  path: string,
  bearer: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  const headers = {
    Authorization: `Bearer ${bearer}`,
    ...(body === undefined ? {} : { 'Content-Length': body.length }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(rig.storage + path, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function put(path: string, bearer: string): Promise<number> {
  return (await exchange('PUT', path, bearer, 'contents')).status;
}

async function get(path: string, bearer: string): Promise<string | number> {
  const { status, text } = await exchange('GET', path, bearer);
  return status === 200 ? text : status;
}

let serial = 0;
const fresh = (directory = '/home/alice'): string => `${directory}/f${(serial += 1)}`;

describe('a token of `scitokens token create` at XRootD', () => {
  it.each([
    ['es', 'scitoken:2.0', 'read:/home/alice write:/home/alice'],
    ['rs', 'scitoken:2.0', 'read:/home/alice write:/home/alice'],
    ['es', 'scitoken:1.0', 'read:/home/alice write:/home/alice'],
    ['es', 'wlcg:1.0', 'storage.read:/home/alice storage.modify:/home/alice'],
    ['rs', 'wlcg:1.0', 'storage.read:/home/alice storage.modify:/home/alice'],
  ])('of issuer %s, profile %s, may PUT and GET', async (issuer, profile, scope) => {
    const bearer = await token(issuer, scope, '--profile', profile);
    const path = fresh();
    expect([await put(path, bearer), await get(path, bearer)]).toEqual([200, 'contents']);
  });

  it.each([
    ['a path it does not name', 'read:/home/alice write:/home/alice', '/home', 403],
    ['a path for which it may only read', 'read:/home/alice', '/home/alice', 403],
  ])('may not PUT to %s', async (_title, scope, directory, status) => {
    expect(await put(fresh(directory), await token('es', scope))).toBe(status);
  });

  it('may not GET with another audience, but with ANY', async () => {
    const path = fresh();
    await put(path, await token('es', 'write:/home/alice'));
    const scope = 'read:/home/alice';
    expect(await get(path, await token('es', scope, '--audience', 'https://other.test'))).toBe(403);
    expect(await get(path, await token('es', scope, '--audience', 'ANY'))).toBe('contents');
    expect(await get(path, await token('es', scope, '--audience', 'ANY', '--profile', 'scitoken:1.0'))).toBe(
      403,
    );
  });

  it('with storage.create makes a file and does not replace it', async () => {
    const bearer = await token('es', 'storage.create:/home/alice', '--profile', 'wlcg:1.0');
    const path = fresh();
    expect([await put(path, bearer), await put(path, bearer)]).toEqual([200, 403]);
  });

  it('of an issuer that is not listed is refused', async () => {
    expect(await put(fresh(), await token('unlisted', 'write:/home/alice'))).toBe(403);
  });
});

const PROFILE_CLAIMS: Readonly<Record<string, object>> = {
  'scitoken:2.0': { ver: 'scitoken:2.0' },
  'wlcg:1.0': { 'wlcg.ver': '1.0', scope: 'storage.read:/home/alice storage.modify:/home/alice' },
};
const COMBINATIONS = ['es', 'rs'].flatMap((issuer) =>
  Object.keys(PROFILE_CLAIMS).map((profile) => [issuer, profile] as const),
);

describe.each(COMBINATIONS)('a token of %s, profile %s, is refused by XRootD', (issuer, profile) => {
  const now = Math.floor(Date.now() / 1000);
  const claimsOf = (changes: object): JsonObject =>
    claims({ iss: `${rig.issuers}/${issuer}`, ...PROFILE_CLAIMS[profile], ...changes });

  it.each<[string, object, number]>([
    ['never when nothing is wrong with it', {}, 200],
    [
      'for a path it does not name',
      { scope: 'read:/home/bob write:/home/bob storage.modify:/home/bob' },
      403,
    ],
    ['for PUT when it may only read', { scope: 'read:/home/alice storage.read:/home/alice' }, 403],
    ['for another audience', { aud: 'https://other.test' }, 403],
    ['without an audience', { aud: undefined }, 403],
    ['expired', { iat: now - 700, nbf: now - 700, exp: now - 100 }, 403],
    ['not yet valid', { nbf: now + 500 }, 403],
    ['without exp', { exp: undefined }, 403],
    ['without nbf', { nbf: undefined }, 403],
    ['without iat', { iat: undefined }, 403],
    ['without sub', { sub: undefined }, 403],
    ['of an unlisted issuer', { iss: 'https://localhost:1/unlisted' }, 403],
  ])('%s', async (_title, changes, status) => {
    expect(await put(fresh(), signClaims(keyOf(issuer), claimsOf(changes)))).toBe(status);
  });

  it.each<[string, () => string]>([
    [
      "with another issuer's key",
      () => signClaims({ ...keyOf('osg'), kid: keyOf(issuer).kid }, claimsOf({})),
    ],
    [
      'under a name that is not published',
      () => signClaims({ ...keyOf(issuer), kid: 'nobody' }, claimsOf({})),
    ],
    [
      'with alg none',
      () =>
        `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${signClaims(keyOf(issuer), claimsOf({})).split('.')[1]}.`,
    ],
  ])('%s', async (_title, forge) => {
    expect(await put(fresh(), forge())).toBe(403);
  });
});

describe('a token without the version of a profile is refused by XRootD', () => {
  it.each<[string, object, number]>([
    ['never when nothing is wrong with it', {}, 200],
    ['with ver scitoken:1.0', { ver: 'scitoken:1.0' }, 403],
    ['with ver 1', { ver: 1 }, 403],
    ['with an unknown claim', { client_id: 'x' }, 403],
    ['for everybody', { aud: 'ANY' }, 403],
  ])('%s', async (_title, changes, status) => {
    expect(await put(fresh(), signClaims(keyOf('es'), claims(changes)))).toBe(status);
  });
});

describe('the recipe of a site (docs/scitokens-xrootd.md): read:/osg, write:/osg, curl, map_subject', () => {
  const curl = async (...argv: string[]): Promise<string> =>
    (await run('curl', ['-s', '-o', '-', '-w', '%{http_code}', ...argv])).stdout;

  it("writes and reads below the scope with the Python tool's name and a key made the old way", async () => {
    const key = join(rig.directory, 'osg.pem');
    writeFileSync(
      key,
      await command('scitokens-admin-create-key', '--ec', '--create-keys', '--pem-private'),
      { mode: 0o600 },
    );
    const jwks = JSON.parse(
      await command('scitokens-admin-create-key', '--ec', '--private-keyfile', key, '--jwks-public'),
    ) as { keys: { kid: string }[] };
    writeFileSync(join(rig.directory, 'web/osg/.well-known/jwks.json'), JSON.stringify(jwks));
    const bearer = (
      await command(
        'scitokens-admin-create-token',
        '--keyfile',
        key,
        '--key_id',
        jwks.keys[0]?.kid ?? '',
        '--issuer',
        `${rig.issuers}/osg`,
        `aud=${AUDIENCE}`,
        'sub=alice',
        'scope=read:/osg/alice write:/osg/alice',
      )
    ).trim();
    const file = join(rig.directory, 'osg.txt');
    writeFileSync(file, 'from the site\n');
    const header = `Authorization: Bearer ${bearer}`;
    expect(await curl('-H', header, '-T', file, `${rig.storage}/osg/alice/f`)).toMatch(/200$/);
    expect(await curl('-H', header, `${rig.storage}/osg/alice/f`)).toBe('from the site\n200');
    expect(await curl('-H', header, '-T', file, `${rig.storage}/osg/bob/f`)).toMatch(/403$/);
  });

  it('is what the page says, line by line', async () => {
    const directory = join(rig.directory, 'recipe');
    mkdirSync(directory);
    const texts = blocks(PAGE, 'sh recipe').map((text) =>
      text
        .replaceAll('/var/www/issuer', join(rig.directory, 'web'))
        .replaceAll('https://issuer.example.org', rig.issuers)
        .replaceAll('https://storage.example.org', AUDIENCE)
        .replaceAll('http://storage.example.org:1094', rig.storage),
    );
    rig.forgetKeys();
    const output = await runBlocks(texts, directory);
    expect(output).toMatch(/from the site\n/);
    expect(output).toMatch(/^accepted: scitoken:2\.0, ES256/m);
  });

  it('a base_path goes in front of what the scope says', async () => {
    const bearer = await token('vo', 'read:/store write:/store');
    expect(await put('/vo/store/f', bearer)).toBe(200);
    expect(await get('/vo/store/f', bearer)).toBe('contents');
    expect(await put('/store/f', bearer)).toBe(403);
  });
});

describe("Debian's scitokens-cpp", () => {
  it.each([
    ['es', 'scitoken:2.0', 'read:/home/alice', 'read:/home/alice'],
    ['rs', 'scitoken:2.0', 'write:/home/alice', 'write:/home/alice'],
    ['es', 'wlcg:1.0', 'storage.read:/home/alice', 'read:/home/alice'],
    ['rs', 'wlcg:1.0', 'storage.modify:/home/alice', 'write:/home/alice'],
  ])('scitokens-verify and scitokens-list-access accept %s %s', async (issuer, profile, scope, listed) => {
    const bearer = await token(issuer, scope, '--profile', profile);
    const url = `${rig.issuers}/${issuer}`;
    expect(await rig.trusting('scitokens-verify', bearer)).toMatchObject({ code: 0 });
    const list = await rig.trusting('scitokens-list-access', bearer, url, AUDIENCE);
    expect(list.code).toBe(0);
    expect(list.output.replaceAll(/[(,)]/g, ' ')).toMatch(new RegExp(listed.replace(':', '\\s*:?\\s*')));
  });

  it('accepts RSA keys of 1024 bits, which is why verify does unless told otherwise', async () => {
    const weak = createKey({ algorithm: 'RS256', rsaBits: 1024, kid: 'weak' });
    const pem = join(rig.directory, 'weak.pem');
    writeFileSync(pem, writeKey({ ...weak, key: weak.privateKey }, 'pem-public'));
    const issuer = `${rig.issuers}/weak`;
    await command(
      'scitokens',
      'key',
      'publish',
      join(rig.directory, 'web/weak'),
      '--issuer',
      issuer,
      '--key',
      pem,
      '--kid',
      'weak',
    );
    const bearer = signClaims(weak, claims({ iss: issuer }));
    expect(await rig.trusting('scitokens-verify', bearer)).toMatchObject({ code: 0 });
  });

  it('and our own verify finds the same issuer by the same files', async () => {
    const bearer = await token('es', 'read:/home/alice');
    const verify = [
      join(BIN, 'scitokens.js'),
      'token',
      'verify',
      '--no-cache',
      '--test',
      'read:/home/alice',
      bearer,
    ];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(rig.directory, 'ca.pem') };
    expect((await run(process.execPath, verify, { env })).stdout).toMatch(/^accepted: scitoken:2\.0/);
  });
});
