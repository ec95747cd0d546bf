// Files with secrets, and the lock of their directory.
import {
  linkSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import {
  CodedError,
  readSafely,
  shellWord,
  stageFile,
  systemCode,
  temporaryOwner,
  isAlive,
  isAliveElsewhere,
} from '@credmon/core/base';

/** Creates an error about a key directory or a file in it. */
export function badDirectory(path: string, problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_KEY_DIRECTORY', `${path} ${problem}`, { path, problem }, cause);
}

/**
 * Checks that `directory` is a directory and not writable by others.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
export function checkPrivateDirectory(directory: string): void {
  let facts: Stats;
  try {
    facts = statSync(directory);
  } catch (error) {
    throw badDirectory(directory, 'does not exist', error);
  }
  if (!facts.isDirectory()) throw badDirectory(directory, 'is not a directory');
  checkMode(directory, facts.mode, 0o022);
}

function checkMode(path: string, mode: number, forbidden: number): void {
  if ((mode & forbidden) !== 0)
    throw badDirectory(
      path,
      `is open to others (mode ${(mode & 0o777).toString(8)}); fix: chmod ` +
        `${forbidden === 0o022 ? 'go-w' : 'go-rwx'} ${shellWord(path)}`,
    );
}

/**
 * Reads a file that only its owner can read; `undefined` if it is missing. Follows a link
 * if only root and this process can have created it, for example in a mounted secret.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
export function readPrivateFile(file: string): string | undefined {
  const reading = readSafely(file);
  if (reading.kind === 'missing') return undefined;
  if (reading.kind === 'broken') throw badDirectory(file, reading.reason);
  checkMode(file, reading.mode, 0o077);
  return reading.text;
}

/**
 * Runs `work` with the lock of `directory`.
 * @throws CodedError `TOKEN_KEY_DIRECTORY` if another process holds it
 */
export function underLock<T>(directory: string, work: () => T): T {
  checkPrivateDirectory(directory);
  const lock = `${directory}/.lock`;
  takeLock(directory, lock);
  try {
    removeStrays(directory);
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * Seconds. The work under the lock takes milliseconds; after this time the process id of
 * its owner must have been reused.
 */
const LONGEST_WORK = 60;

/**
 * Removes files of killed processes: an incomplete key or index, or a complete one that
 * no index lists.
 */
function removeStrays(directory: string): void {
  for (const name of readdirSync(directory)) {
    const owner = temporaryOwner(name.replace(/\.dead$/, ''));
    if (!owner) continue;
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const old = stats !== undefined && Date.now() / 1000 - stats.mtimeMs / 1000 > LONGEST_WORK;
    // We have not written anything yet: a file with our own process id is from an earlier
    // process.
    if (old || !isAliveElsewhere(owner.pid)) rmSync(path, { force: true });
  }
}

/**
 * Creates the lock with its owner's process id. Takes over the lock of a dead process,
 * once.
 */
function takeLock(directory: string, lock: string): void {
  const staged = stageFile(lock, String(process.pid), { mode: 0o600, durable: false });
  try {
    for (const attempt of [1, 2]) {
      try {
        linkSync(staged.temporaryPath, lock);
        return;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
        if (attempt === 2 || isHeld(lock))
          throw badDirectory(directory, `is in use by process ${ownerOf(lock)}`);
        removeDead(lock, `${staged.temporaryPath}.dead`);
      }
    }
  } finally {
    staged.discard();
  }
}

function ownerOf(lock: string): number {
  return Number(readPrivateFile(lock) ?? '0');
}

/**
 * This process does not call this while it holds the lock: its own id belongs to an
 * earlier process.
 */
function isHeld(lock: string): boolean {
  const owner = ownerOf(lock);
  const stats = statSync(lock, { throwIfNoEntry: false });
  if (!stats || owner === process.pid) return false;
  return isAlive(owner) && Date.now() / 1000 - stats.mtimeMs / 1000 < LONGEST_WORK;
}

/**
 * Renames the lock before checking it again: two processes that find the same dead lock
 * must not both remove it.
 */
function removeDead(lock: string, aside: string): void {
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (isHeld(aside)) linkSync(aside, lock);
  } catch (error) {
    // Another process has the lock; the next attempt reports it.
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
