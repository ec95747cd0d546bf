// Issuers' keys on disk: shared by the processes of one user, and available after a
// restart during an outage.
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, makeDirectory, systemCode, writeFileAtomically } from '@credmon/core/base';
import { isObject } from '../token/compact.ts';
import type { KeyStore, StoredKeys } from './issuer-keys.ts';

const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** Returns the directory of the cache: below `XDG_CACHE_HOME`, else `~/.cache`. */
export function keyCacheDirectory(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const base = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || '/', '.cache');
  return join(base, 'credmon-scitokens');
}

/** A {@link KeyStore} that can be listed. */
export interface KeyCache extends KeyStore {
  /** Returns the issuers with valid files, in alphabetical order. */
  issuers(): readonly string[];
  remove(issuer: string): void;
}

/**
 * Creates a {@link KeyCache} with one file for each issuer in `directory`, which is
 * created (0700) at the first write. Files that others could have written are rejected.
 */
export function createKeyCache(directory: string): KeyCache {
  const fileOf = (issuer: string): string =>
    join(directory, `${createHash('sha256').update(issuer).digest('hex')}.json`);
  return {
    issuers: () => listIssuers(directory),
    remove: (issuer) => rmSync(fileOf(issuer), { force: true }),
    read: (issuer) => readEntry(fileOf(issuer), issuer),
    write(issuer, keys) {
      makeDirectory(directory, 0o700);
      const text = JSON.stringify({ issuer, ...keys });
      writeFileAtomically(fileOf(issuer), text, { mode: 0o600, durable: false });
    },
  };
}

function readEntry(file: string, issuer: string): StoredKeys | undefined {
  const text = readOwnFile(file);
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (!isObject(value) || value['issuer'] !== issuer || typeof value['fetchedAt'] !== 'number')
    return undefined;
  return { document: value['document'], fetchedAt: value['fetchedAt'] };
}

function listIssuers(directory: string): readonly string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const found = names
    .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
    .flatMap((name): string[] => {
      const value: unknown = JSON.parse(readOwnFile(join(directory, name)) ?? 'null');
      return isObject(value) && typeof value['issuer'] === 'string' ? [value['issuer']] : [];
    });
  return found.sort();
}

function readOwnFile(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const facts = fstatSync(descriptor);
    const ours = facts.uid === process.geteuid?.() && (facts.mode & 0o022) === 0;
    if (!facts.isFile() || !ours || facts.size > MAX_FILE_BYTES)
      throw new CodedError(
        'TOKEN_KEY_DIRECTORY',
        `${file} is not a cache file of this user; fix: remove it`,
        {
          file,
        },
      );
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
