// What the tests against XRootD share: the rig with its issuers, our commands, and ways
// to ask the storage.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import {
  initKeyDirectory,
  publishKeys,
  readSigningKey,
  rotateKeys,
  type Algorithm,
  type JsonObject,
  type SigningKey,
} from '@credmon/scitokens';
import { isXrootdMissing } from './needs.ts';
import { blocks, readPage } from './pages.ts';
import { startRig, type Rig, type Sections } from './rig.ts';

export const run = promisify(execFile);
export const BIN = fileURLToPath(new URL('../../../packages/scitokens/dist/bin/', import.meta.url));
export const AUDIENCE = 'https://storage.test';
/** The rig of this test file. */
export let rig: Rig;

/** Runs one of our executables, as an administrator would. */
export async function command(name: string, ...argv: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(BIN, `${name}.js`), ...argv]);
  return stdout;
}

export const PAGE = readPage('scitokens-xrootd.md');

/**
 * The issuer sections that docs/scitokens-xrootd.md gives, with our issuers in place of
 * its own.
 */
function sectionsOfPage(issuers: string): Sections {
  const text = blocks(PAGE, 'ini').join('').replaceAll('https://issuer.example.org', issuers);
  const found = [...text.matchAll(/^\[Issuer (\w+)\]\n((?:.+\n)*)/gm)];
  return Object.fromEntries(
    found.map(([, name = '', lines = '']) => [name, lines.trim().split('\n')]),
  );
}

export const keys = (issuer: string): string => join(rig.directory, 'keys', issuer);

/** Makes an issuer: a key directory whose first key is published and active. */
function makeIssuer(name: string, algorithm: Algorithm): void {
  const now = Date.now() / 1000;
  initKeyDirectory(keys(name), { longestLifetime: 9_999_999 });
  rotateKeys(keys(name), { now, algorithm });
  publishKeys(keys(name), `${rig.issuers}/${name}`, join(rig.directory, 'web', name), now);
  rotateKeys(keys(name), { now });
}

/** For `describe.skipIf`: the suites against XRootD cannot run here. */
export const missing: boolean = isXrootdMissing();

beforeAll(async () => {
  if (missing) return;
  rig = await startRig(AUDIENCE, (issuers) => ({
    es: [`issuer = ${issuers}/es`, 'base_path = /'],
    rs: [`issuer = ${issuers}/rs`, 'base_path = /'],
    ...sectionsOfPage(issuers),
  }));
  mkdirSync(join(rig.directory, 'keys'));
  for (const name of ['es', 'osg', 'vo', 'unlisted']) makeIssuer(name, 'ES256');
  makeIssuer('rs', 'RS256');
});
afterAll(() => rig?.stop());

/** Issues a token with our command. */
export async function token(issuer: string, scope: string, ...options: string[]): Promise<string> {
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
export function keyOf(issuer: string): SigningKey {
  const index = JSON.parse(readFileSync(join(keys(issuer), 'keys.json'), 'utf8')) as {
    keys: { file: string; kid: string }[];
  };
  const { file, kid } = index.keys[0] ?? { file: '', kid: '' };
  return readSigningKey(readFileSync(join(keys(issuer), file), 'utf8'), { kid });
}

export function claims(changes: object = {}): JsonObject {
  const now = Math.floor(Date.now() / 1000);
  const base = {
    iss: `${rig.issuers}/es`,
    sub: 'alice',
    aud: AUDIENCE,
    scope: 'read:/home/alice write:/home/alice',
  };
  const all = {
    ...base,
    iat: now,
    nbf: now,
    exp: now + 600,
    jti: String(Math.random()),
    ...changes,
  };
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

export async function put(path: string, bearer: string): Promise<number> {
  return (await exchange('PUT', path, bearer, 'contents')).status;
}

export async function get(path: string, bearer: string): Promise<string | number> {
  const { status, text } = await exchange('GET', path, bearer);
  return status === 200 ? text : status;
}

let serial = 0;
export const fresh = (directory = '/home/alice'): string => `${directory}/f${(serial += 1)}`;
