// Files with secrets, and the lock on the directory that holds them.
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

/** An error about a key directory or a file in it. */
export function badDirectory(path: string, problem: string, cause?: unknown): CodedError {
  return new CodedError('TOKEN_KEY_DIRECTORY', `${path} ${problem}`, { path, problem }, cause);
}

/**
 * Checks that `directory` is one, and that nobody else may write to it.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`.
 */
export function checkPrivateDirectory(directory: string): void {
  let facts: Stats;
  try {
    facts = statSync(directory);
  } catch (error) {
    throw badDirectory(directory, 'is not there', error);
  }
  if (!facts.isDirectory()) throw badDirectory(directory, 'is not a directory');
  checkMode(directory, facts.mode, 0o022);
}

function checkMode(path: string, mode: number, refused: number): void {
  if ((mode & refused) !== 0)
    throw badDirectory(
      path,
      `is open to others (mode ${(mode & 0o777).toString(8)}); fix: chmod ${refused === 0o022 ? 'go-w' : 'go-rwx'} ${shellWord(path)}`,
    );
}

/**
 * Reads a file that only its owner can read; `undefined` when there is none. A link is
 * followed where root or this process alone can have made it, as a mounted secret is.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`.
 */
export function readPrivateFile(file: string): string | undefined {
  const reading = readSafely(file);
  if (reading.kind === 'missing') return undefined;
  if (reading.kind === 'broken') throw badDirectory(file, reading.reason);
  checkMode(file, reading.mode, 0o077);
  return reading.text;
}

/**
 * Runs `work` while no other process works on `directory`.
 * @throws CodedError `TOKEN_KEY_DIRECTORY` when another one does.
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
 * The work under the lock takes milliseconds; after this many seconds its owner's number
 * must have been given again.
 */
const LONGEST_WORK = 60;

/**
 * What a killed process was writing: half a key or index, or the whole of one that no
 * index names.
 */
function removeStrays(directory: string): void {
  for (const name of readdirSync(directory)) {
    const owner = temporaryOwner(name.replace(/\.dead$/, ''));
    if (!owner) continue;
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    const old = stats !== undefined && Date.now() / 1000 - stats.mtimeMs / 1000 > LONGEST_WORK;
    // We have nothing under way yet: our own number there is of a process before us.
    if (old || !isAliveElsewhere(owner.pid)) rmSync(path, { force: true });
  }
}

/**
 * The lock appears with its owner's id inside. That of a process that is gone is taken
 * over, once.
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
 * This process never asks while it holds the lock itself: its number in there is of one
 * before it.
 */
function isHeld(lock: string): boolean {
  const owner = ownerOf(lock);
  const stats = statSync(lock, { throwIfNoEntry: false });
  if (!stats || owner === process.pid) return false;
  return isAlive(owner) && Date.now() / 1000 - stats.mtimeMs / 1000 < LONGEST_WORK;
}

/**
 * Taken away before it is looked at again: two who find the same dead lock must not both
 * remove what they find.
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
    // Somebody has the lock by now; the next attempt says who.
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
