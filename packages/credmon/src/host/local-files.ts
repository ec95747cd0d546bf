// The local signer's files: keys, map files, and key pairs on disk. A key pair is created
// so that the next start can complete it after a kill at any moment.
import type { KeyDirectories } from '../keys/signing-keys.ts';
import type { LocalPorts } from '../providers/local/keys.ts';
import { createLogOnce } from '../report/log-once.ts';
import {
  type SafeReading,
  isAliveElsewhere,
  isCoded,
  readSafely,
  shellWord,
  syncDirectory,
  systemCode,
  systemRandom,
  temporaryOwner,
  writeFileAtomically,
} from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';
import {
  activeKey,
  createKey,
  initKeyDirectory,
  publishInPlace,
  readKey as parseKey,
  readKeyDirectory,
  rotateKeys,
  writeKey,
} from '@credmon/scitokens';
import { type KeyObject, createPublicKey } from 'node:crypto';
import {
  type Stats,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Key directories on disk. */
export const keyDirectories: KeyDirectories = {
  init: initKeyDirectory,
  read: readKeyDirectory,
  rotate: rotateKeys,
  publish: publishInPlace,
};

/** Maximum number of remembered warnings. */
const MOST_TEXTS = 1000;

/**
 * Creates the ports of the local signer; warnings go to `warn`, once until the problem
 * has ended.
 */
export function localFiles(warn: (text: string) => void): LocalPorts {
  const logged = createLogOnce(MOST_TEXTS);
  return {
    random: systemRandom,
    version,
    readText,
    readKey,
    readAll,
    activeKey,
    createKeyPair,
    recoverKeyPair,
    warn: (text, about = text) => logged.once(about, text, () => warn(text)),
    recovered: (about) => logged.forget(about),
  };
}

/** Includes the mode, because a chmod that fixes a key does not change its mtime. */
function version(path: string): string {
  const stats = statOf(path);
  if (stats === undefined || typeof stats === 'string') return stats ?? '';
  return `${stats.ino}:${stats.mtimeMs}:${stats.size}:${stats.mode}`;
}

/**
 * Returns a file's stats; `undefined` when it is missing; the error code when it cannot
 * be read or is a dangling link.
 */
function statOf(path: string): Stats | string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats ?? (lstatSync(path, { throwIfNoEntry: false }) ? 'ENOENT' : undefined);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Follows links, because orchestrators mount files as links. */
function readText(path: string): Parsed<string> {
  const reading = readSafely(path);
  return reading.kind === 'text' ? { ok: true, value: reading.text } : failure(reading);
}

function readKey(path: string): Parsed<string> {
  const reading = readSafely(path);
  if (reading.kind !== 'text') return failure(reading);
  if ((reading.mode & 0o007) === 0) return { ok: true, value: reading.text };
  return {
    ok: false,
    reason: `is open to every user; fix: chmod 600 ${shellWord(path)}, and replace the key`,
  };
}

function failure(reading: Exclude<SafeReading, { kind: 'text' }>): Parsed<string> {
  return { ok: false, reason: reading.kind === 'missing' ? 'is missing' : reading.reason };
}

function readAll(path: string): readonly string[] {
  const stats = statOf(path);
  if (stats === undefined || typeof stats === 'string') return [];
  const files = stats.isDirectory() ? namesIn(path).map((name) => join(path, name)) : [path];
  return files.flatMap((file) => {
    const text = readText(file);
    return text.ok ? [text.value] : [];
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

/** The half of a key pair that was restored. */
export type RecoveredHalf = 'private' | 'public';

/**
 * After this many seconds the process id in a temporary name must have been reused:
 * writing a key takes milliseconds.
 */
const LONGEST_WRITE = 60;

/**
 * Creates an EC P-256 key pair in two files. The private half is written first: the
 * public half can be derived from it.
 * @throws the system's error; then neither half exists
 */
export function createKeyPair(privateKey: string, publicKey: string): void {
  const { privateKey: key, kid, algorithm } = createKey({ algorithm: 'ES256' });
  const made = { key, kid, algorithm };
  writeFileAtomically(privateKey, writeKey(made, 'pem-private'), { mode: 0o600, durable: true });
  try {
    writePublicHalf(publicKey, writeKey(made, 'pem-public'));
  } catch (error) {
    rmSync(privateKey, { force: true });
    throw error;
  }
}

/**
 * Completes a key pair that a dead process left: creates a missing public half from the
 * private key, and takes a missing private key from a complete temporary file. Removes
 * all other temporary files of dead processes.
 * @throws the system's error
 */
export function recoverKeyPair(privateKey: string, publicKey: string): readonly RecoveredHalf[] {
  const recovered: RecoveredHalf[] = [];
  const leftovers = leftoversOf(privateKey);
  if (!exists(privateKey) && exists(publicKey)) {
    const publicHalf = keyIn(publicKey);
    const complete = publicHalf && leftovers.find((path) => isPrivateHalf(path, publicHalf));
    if (complete !== undefined) {
      putInPlace(complete, privateKey);
      recovered.push('private');
    }
  }
  for (const path of [...leftoversOf(privateKey), ...leftoversOf(publicKey)])
    rmSync(path, { force: true });
  const key = exists(publicKey) ? undefined : keyIn(privateKey);
  if (key?.type === 'private') {
    writePublicHalf(
      publicKey,
      String(createPublicKey(key).export({ type: 'spki', format: 'pem' })),
    );
    recovered.push('public');
  }
  return recovered;
}

function writePublicHalf(path: string, text: string): void {
  writeFileAtomically(path, text, { mode: 0o644, durable: true });
}

/** Returns the temporary files for `path` that dead processes left. */
function leftoversOf(path: string): readonly string[] {
  const directory = dirname(path);
  return filesIn(directory).flatMap((name) => {
    const owner = temporaryOwner(name);
    const target = name.slice(1).replace(/\.d?\d+\.\d+\.credmon-tmp$/, '');
    if (!owner || target !== basename(path)) return [];
    const temporary = join(directory, name);
    const stats = lstatSync(temporary, { throwIfNoEntry: false });
    if (!stats) return [];
    const old = Date.now() / 1000 - stats.mtimeMs / 1000 > LONGEST_WRITE;
    return old || !isAliveElsewhere(owner.pid) ? [temporary] : [];
  });
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    // A directory that cannot be listed may still contain readable keys.
    return [];
  }
}

/** A dangling link counts as existing: its target may be mounted later. */
function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function keyIn(path: string): KeyObject | undefined {
  const reading = readSafely(path);
  if (reading.kind !== 'text') return undefined;
  try {
    return parseKey(reading.text).key;
  } catch (error) {
    if (!isCoded(error)) throw error;
    return undefined;
  }
}

/** Accepts only a file that this process or root wrote with access for no one else. */
function isPrivateHalf(path: string, publicHalf: KeyObject): boolean {
  const { uid, mode } = lstatSync(path);
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o077) !== 0) return false;
  const key = keyIn(path);
  return key?.type === 'private' && createPublicKey(key).equals(publicHalf);
}

/** Syncs first: the writer may have died before its fsync. */
function putInPlace(temporary: string, path: string): void {
  const descriptor = openSync(
    temporary,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}
