// An XRootD to compare with `scitokens token explain`. All issuers have the same key.
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  activeKey,
  initKeyDirectory,
  publishKeys,
  rotateKeys,
  type SigningKey,
} from '@credmon/scitokens';
import { signUnchecked } from '../../../packages/scitokens/src/token/sign.ts';
import { xrootdUser } from './needs.ts';
import { startRig, type Rig, type Sections } from './rig.ts';

export const AUDIENCE = 'https://storage.test';
const COMMAND = fileURLToPath(
  new URL('../../../packages/scitokens/dist/bin/scitokens.js', import.meta.url),
);
/** Files that are there to be read. */
const FILES = ['home/alice/f', 'home/alicebob/f', 'osg/f', 'osg/old', 'vo/f', 'vo/home/f'];
const METHODS = { read: 'GET', write: 'PUT', create: 'PUT', delete: 'DELETE', mkdir: 'MKCOL' };

/** An operation that HTTP has, and a path of the storage. */
export interface Asked {
  readonly operation: keyof typeof METHODS;
  readonly path: string;
}

/** A decision: of XRootD from its answer and its log, of `explain` from its output. */
export interface Decision {
  readonly accepted: boolean;
  readonly user?: string | undefined;
}

/** A storage with issuers, and both ways to a decision about a token. */
export interface Compared {
  readonly rig: Rig;
  /** Signs a token of one of the issuers. */
  readonly sign: (issuer: string, changes: object) => string;
  readonly real: (bearer: string, asked: Asked) => Promise<Decision>;
  readonly explained: (
    bearer: string,
    asked: Asked,
  ) => Decision & { readonly steps: readonly { step: string; state: string; text: string }[] };
}

/**
 * Starts a storage. `sections` are the lines of each issuer's section without `issuer`;
 * DIR in them is the rig's directory, where `files` are written.
 */
export async function startCompared(
  global: readonly string[],
  sections: Sections,
  files: Readonly<Record<string, string>> = {},
): Promise<Compared> {
  const rig = await startRig(global, (issuers, directory) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return Object.fromEntries(
      Object.entries(sections).map(([name, lines]) => [
        name,
        [`issuer = ${issuers}/${name}`, ...lines.map((line) => line.replace('DIR', directory))],
      ]),
    );
  });
  const key = publish(rig, Object.keys(sections));
  for (const file of FILES) {
    mkdirSync(join(rig.directory, 'data', dirname(file)), { recursive: true });
    writeFileSync(join(rig.directory, 'data', file), 'contents');
    chownSync(join(rig.directory, 'data', file), xrootdUser() ?? 0, -1);
  }
  return {
    rig,
    sign: (issuer, changes) => signUnchecked(key, claimsOf(rig, issuer, changes)),
    real: (bearer, asked) => ask(rig, bearer, asked),
    explained: (bearer, asked) => explain(rig, bearer, asked),
  };
}

function publish({ directory, issuers }: Rig, names: readonly string[]): SigningKey {
  const keys = join(directory, 'keys');
  const now = Date.now() / 1000;
  initKeyDirectory(keys);
  rotateKeys(keys, { now });
  for (const name of names)
    publishKeys(keys, `${issuers}/${name}`, join(directory, 'web', name), now);
  rotateKeys(keys, { now });
  return activeKey(keys, 600);
}

let serial = 0;

function claimsOf({ issuers }: Rig, issuer: string, changes: object): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${issuers}/${issuer}`,
    sub: 'alice',
    aud: AUDIENCE,
    ver: 'scitoken:2.0',
    scope: 'read:/ write:/',
    iat: now,
    nbf: now,
    exp: now + 600,
    jti: String((serial += 1)),
    ...changes,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Each token is sent once: XRootD keeps its decision about it. */
async function ask(rig: Rig, bearer: string, { operation, path }: Asked): Promise<Decision> {
  const before = rig.log().length;
  const status = await send(rig, METHODS[operation], path, bearer);
  if (![200, 201, 403].includes(status)) throw new Error(`${operation} ${path}: status ${status}`);
  // The end of the connection is logged last.
  await waitUntil(() => / disc \d/.test(rig.log().slice(before)), { what: 'the log of XRootD' });
  const names = rig
    .log()
    .slice(before)
    .matchAll(/Request username (.*)$/gm);
  return { accepted: status !== 403, user: [...names].at(-1)?.[1]?.trim() };
}

/** XRootD knows the header by this spelling only, which `fetch` would not keep. */
function send(rig: Rig, method: string, path: string, bearer: string): Promise<number> {
  const body = method === 'PUT' ? 'contents' : '';
  const headers = { Authorization: `Bearer ${bearer}`, 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const sent = request(rig.storage + path, { method, headers, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function explain(
  { directory }: Rig,
  bearer: string,
  { operation, path }: Asked,
): ReturnType<Compared['explained']> {
  const options = [
    ['--scitokens-cfg', join(directory, 'scitokens.cfg')],
    ['--jwks', join(directory, 'keys', 'jwks.json')],
    ['--path', path],
    ['--op', operation],
  ].flat();
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [COMMAND, 'token', 'explain', '-', ...options, '--json'],
    { input: bearer, encoding: 'utf8' },
  );
  if (stdout === '') throw new Error(`explain printed nothing: ${stderr}`);
  const found = JSON.parse(stdout) as ReturnType<Compared['explained']>;
  if ((status === 0) !== found.accepted) throw new Error(`exit status ${status}: ${stdout}`);
  return found;
}
