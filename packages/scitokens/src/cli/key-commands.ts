// The key commands: create, convert, rotate, list, publish.
import { join } from 'node:path';
import { makeDirectory } from '@credmon/core/base';
import { isAlgorithm, type Algorithm } from '../token/algorithms.ts';
import { createKey } from '../keys/create-key.ts';
import {
  initKeyDirectory,
  publishKeys,
  readKeyDirectory,
  rotateKeys,
} from '../keys/key-directory.ts';
import { writeKey, type KeyForm, type ReadKey } from '../keys/keys.ts';
import { publishedFiles } from '../keys/publish.ts';
import type { PolicyChoice } from '../keys/rotation.ts';
import type { Io } from './io.ts';
import { namedKeyFrom, publicJwksFrom, type KeyOptions } from './key-source.ts';
import { misuse } from './outcome.ts';
import { keyTable, stepText } from './show.ts';

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
