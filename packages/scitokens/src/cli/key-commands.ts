// The key commands (create, convert, rotate, list, publish) and the commands for the key
// cache of `token verify`.
import { createKey } from '../keys/create-key.ts';
import { readKeySet, publishedFiles } from '../keys/jwk.ts';
import {
  initKeyDirectory,
  publishKeys,
  readKeyDirectory,
  rotateKeys,
} from '../keys/key-directory.ts';
import { type KeyForm, type ReadKey, writeKey } from '../keys/keys.ts';
import type { PolicyChoice } from '../keys/rotation.ts';
import { type Algorithm, isAlgorithm } from '../token/algorithms.ts';
import { fetchIssuerKeys } from '../verify/issuer-keys.ts';
import { type KeyCache, createKeyCache, keyCacheDirectory } from '../verify/key-files.ts';
import { type Io, keyTable, localTime, misuse, shownValue, stepText } from './io.ts';
import {
  type KeyOptions,
  namedKeyFrom,
  parseJsonText,
  publicJwksFrom,
  readText,
} from './token-source.ts';
import { CodedError, makeDirectory, tableText } from '@credmon/core/base';
import { join } from 'node:path';

/** Options of `key create` and `key convert`. */
export interface WriteOptions extends KeyOptions {
  readonly form?: KeyForm | undefined;
  readonly out?: string | undefined;
  readonly public?: string | undefined;
  readonly jwks?: string | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Returns the algorithm with this name; ES256 without a name. */
export function algorithmNamed(name: string | undefined): Algorithm {
  if (name === undefined) return 'ES256';
  if (isAlgorithm(name)) return name;
  throw misuse(`unknown algorithm ${name}`);
}

/**
 * `key create`: creates a key and prints or stores it, with its public key in a separate
 * file on request.
 */
export function keyCreate(options: WriteOptions, io: Io): void {
  const { kid, kidStyle: style = 'python' } = options;
  const made = createKey({
    algorithm: algorithmNamed(options.algorithm),
    style,
    kid,
  });
  writeOut({ kid: made.kid, algorithm: made.algorithm, key: made.privateKey }, options, io);
}

/** `key convert`: writes the same key in another form. */
export function keyConvert(path: string, options: WriteOptions, io: Io): void {
  writeOut(namedKeyFrom(path, options, io), options, io);
}

function writeOut(key: ReadKey, options: WriteOptions, io: Io): void {
  const { out, form = 'pem-private' } = options;
  const text = writeKey(key, form);
  const files: readonly (readonly [string | undefined, string, number])[] = [
    [out, text, form.endsWith('public') ? 0o644 : 0o600],
    [options.public, writeKey(key, 'pem-public'), 0o644],
    [options.jwks, writeKey(key, 'jwks-public'), 0o644],
  ];
  for (const [path] of files)
    if (path !== undefined && io.exists(path) && !options.force)
      throw misuse(`${path} already exists; use --force to replace it`);
  for (const [path, contents, mode] of files)
    if (path !== undefined) io.writeFile(path, contents, mode);
  if (options.json) {
    const shown = out === undefined ? text : undefined;
    io.out(`${JSON.stringify({ kid: key.kid, algorithm: key.algorithm, out, key: shown })}\n`);
  } else if (out === undefined) io.out(text);
  else io.out(`${out}: ${key.algorithm} key ${key.kid ?? 'without key id'}\n`);
}

/** Options of `key rotate`. */
export interface RotateArguments extends KeyOptions, PolicyChoice {
  readonly begin?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `key rotate`: executes all due steps; suitable for cron. */
export function keyRotate(directory: string, options: RotateArguments, io: Io): void {
  initKeyDirectory(directory, options);
  const steps = rotateKeys(directory, {
    now: io.now(),
    begin: options.begin ?? false,
    algorithm: algorithmNamed(options.algorithm),
    style: options.kidStyle ?? 'python',
  });
  if (options.json) return io.out(`${JSON.stringify({ steps })}\n`);
  for (const step of steps) io.out(`${stepText(step)}\n`);
}

/** `key list`: lists the keys of a directory with their states and dates. */
export function keyList(
  directory: string,
  { json = false }: { readonly json?: boolean | undefined },
  io: Io,
): void {
  const index = readKeyDirectory(directory);
  if (json) return io.out(`${JSON.stringify(index)}\n`);
  io.out(keyTable(index.keys));
}

/** Options of `key publish`. */
export interface PublishOptions {
  readonly issuer: string;
  readonly keys?: string | undefined;
  readonly key?: readonly string[] | undefined;
  readonly kid?: string | undefined;
  readonly json?: boolean | undefined;
}

/**
 * `key publish`: writes metadata and key set as static files below a web server's
 * directory.
 */
export function keyPublish(webDirectory: string, options: PublishOptions, io: Io): void {
  const { issuer, keys, key = [], kid } = options;
  if ((keys === undefined) === (key.length === 0))
    throw misuse('exactly one of --keys DIRECTORY and --key FILE is required');
  const written =
    keys === undefined
      ? publishFiles(webDirectory, issuer, publicJwksFrom(key, { kid }, io), io)
      : publishKeys(keys, issuer, webDirectory, io.now());
  if (options.json) io.out(`${JSON.stringify({ issuer, written })}\n`);
  else io.out(written.map((path) => `${path}\n`).join(''));
}

function publishFiles(
  webDirectory: string,
  issuer: string,
  jwks: Parameters<typeof publishedFiles>[1],
  io: Io,
): readonly string[] {
  makeDirectory(join(webDirectory, '.well-known'), 0o777);
  return publishedFiles(issuer, jwks).map(({ path, text }) => {
    io.writeFile(join(webDirectory, path), text, 0o644);
    return join(webDirectory, path);
  });
}

function cacheOf(io: Io): KeyCache {
  return createKeyCache(keyCacheDirectory(io.environment));
}

/** `cache list`: issuers, the ids of their keys, and the time of the last fetch. */
export function cacheList({ json = false }: { readonly json?: boolean | undefined }, io: Io): void {
  const cache = cacheOf(io);
  const entries = cache.issuers().flatMap((issuer) => {
    const stored = cache.read(issuer);
    return stored === undefined
      ? []
      : [{ issuer, fetchedAt: stored.fetchedAt, kids: readKeySet(stored.document).kids }];
  });
  if (json) return io.out(`${JSON.stringify({ issuers: entries })}\n`);
  const rows = entries.map(({ issuer, fetchedAt, kids }) => [
    shownValue(issuer),
    localTime(fetchedAt),
    shownValue(kids.join(' ')),
  ]);
  io.out(`${tableText([['ISSUER', 'FETCHED', 'KEYS'], ...rows])}\n`);
}

/** `cache add`: stores the keys of a file as if the issuer had just sent them. */
export function cacheAdd(issuer: string, path: string, io: Io): void {
  const { document } = readKeySet(parseJsonText(readText(path, io), path));
  cacheOf(io).write(issuer, { document, fetchedAt: io.now() });
}

/** `cache remove`: the next token of the issuer fetches its keys again. */
export function cacheRemove(issuer: string, io: Io): void {
  const cache = cacheOf(io);
  if (cache.read(issuer) === undefined)
    throw new CodedError('TOKEN_UNKNOWN_ISSUER', `no cached keys of ${issuer}`, { issuer });
  cache.remove(issuer);
}

/** `cache update`: fetches keys of any age; keeps the old ones after a failure. */
export async function cacheUpdate(
  issuer: string | undefined,
  { insecure = false }: { readonly insecure?: boolean | undefined },
  io: Io,
): Promise<void> {
  const cache = cacheOf(io);
  for (const one of issuer === undefined ? cache.issuers() : [issuer]) {
    const { document } = await fetchIssuerKeys(one, { send: io.send, insecure });
    cache.write(one, { document, fetchedAt: io.now() });
    io.out(`${shownValue(one)}\n`);
  }
}
