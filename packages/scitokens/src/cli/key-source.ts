// The keys of a command: a file in any form, or a key directory.
import { activeKey } from '../keys/key-directory.ts';
import { writeJwk } from '../keys/jwk.ts';
import { keyIdOf, type KeyIdStyle } from '../keys/create-key.ts';
import { readKey, readSigningKey, type ReadKey } from '../keys/keys.ts';
import type { JsonObject } from '../token/compact.ts';
import type { SigningKey } from '../token/sign.ts';
import type { Io } from './io.ts';
import { misuse } from './outcome.ts';

/** Options with the keys of a command. */
export interface KeyOptions {
  readonly key?: string | undefined;
  readonly keys?: string | undefined;
  readonly kid?: string | undefined;
  readonly kidStyle?: KeyIdStyle | undefined;
  readonly algorithm?: string | undefined;
}

/** Returns the key for signing tokens of `lifetime` seconds. */
export function signingKeyFrom(options: KeyOptions, lifetime: number, io: Io): SigningKey {
  const { key, keys, kid, algorithm, kidStyle: style = 'python' } = options;
  if ((key === undefined) === (keys === undefined))
    throw misuse('exactly one of --key FILE and --keys DIRECTORY is required');
  if (keys !== undefined) return activeKey(keys, lifetime);
  return readSigningKey(readText(key ?? '-', io), { kid, algorithm, style });
}

/** Reads a key of any form and gives it a key id. `-` is standard input. */
export function namedKeyFrom(path: string, options: KeyOptions, io: Io): ReadKey {
  const key = readKey(readText(path, io), options);
  return { ...key, kid: key.kid ?? keyIdOf(key.key, options.kidStyle ?? 'python') };
}

/** Returns the public JWKs of files. */
export function publicJwksFrom(
  paths: readonly string[],
  options: KeyOptions,
  io: Io,
): JsonObject[] {
  return paths.map((path) => {
    const { key, kid, algorithm } = namedKeyFrom(path, options, io);
    return writeJwk(key, kid, algorithm);
  });
}

/** Returns a file's text, or standard input for `-`. */
export function readText(path: string, io: Io): string {
  return path === '-' ? io.readInput() : io.readFile(path);
}

/** Parses JSON; the error names `path`. */
export function parseJsonText(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misuse(`${path} is not JSON`);
  }
}
