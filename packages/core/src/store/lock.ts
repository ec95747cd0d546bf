// One daemon for one credential directory: a kernel lock that dies with its holder, so that it can never be stale.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, systemCode } from '../base/errors.ts';
import { LOCK_FILE } from '../credential/layout.ts';

/**
 * What the lock is worth: `held`; `file-replaced` when the lock file was removed or replaced, so that another process can hold a lock on the
 * same directory; `directory-replaced` when the path leads to another directory, or to none.
 */
export type LockState = 'held' | 'file-replaced' | 'directory-replaced';

/** The lock of a directory. `state` looks at the disk; `release` ends the lock. */
export interface DirectoryLock {
  readonly state: () => LockState;
  readonly release: () => void;
}

/** How util-linux's flock says that somebody else holds the lock. */
const HELD = 75;

/**
 * Locks the directory for this process. flock(2) belongs to the open file, which this process keeps: the kernel releases it at any
 * kind of death, and it holds across containers that share the file system.
 * @throws CodedError `DIRECTORY_LOCKED`, naming the process that holds it; `CRED_DIR_INVALID` when the lock file cannot be used
 * @see flock(1), flock(2)
 */
export function lockDirectory(directory: string): DirectoryLock {
  for (let attempt = 1; attempt < MOST_ATTEMPTS; attempt += 1) {
    const lock = lockFile(directory);
    if (lock.state() === 'held') return lock;
    // The file was replaced after it was opened: that lock would exclude nobody.
    lock.release();
  }
  return lockFile(directory);
}

/** How often the lock file may be replaced while it is being locked. */
const MOST_ATTEMPTS = 5;

function lockFile(directory: string): DirectoryLock {
  const path = join(directory, LOCK_FILE);
  let descriptor: number;
  try {
    descriptor = openSync(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      0o600,
    );
  } catch (error) {
    throw new CodedError(
      'CRED_DIR_INVALID',
      `cannot open ${path} (${systemCode(error) ?? 'unknown'})`,
      { path },
      error,
    );
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new CodedError('CRED_DIR_INVALID', `cannot lock ${path}: it is not a regular file; remove it`, {
      path,
    });
  }
  const { status, error } = spawnSync(
    'flock',
    ['--exclusive', '--nonblock', '--conflict-exit-code', String(HELD), '3'],
    {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
    },
  );
  if (status === 0) {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${process.pid}\n`, 0);
    return lockOf(directory, path, descriptor);
  }
  closeSync(descriptor);
  if (status === HELD) throw held(directory, path);
  const why = error
    ? `flock(1) of util-linux cannot be run (${systemCode(error) ?? error.message})`
    : `flock(1) failed with status ${status}`;
  throw new CodedError('CRED_DIR_INVALID', `cannot lock ${path}: ${why}`, { path }, error);
}

function lockOf(directory: string, path: string, descriptor: number): DirectoryLock {
  const own = { directory: statSync(directory), file: fstatSync(descriptor) };
  return {
    state: () => {
      if (!isSame(own.directory, () => statSync(directory))) return 'directory-replaced';
      return isSame(own.file, () => lstatSync(path)) ? 'held' : 'file-replaced';
    },
    release: () => closeSync(descriptor),
  };
}

/** False when another file, or none, has the name by now. A disk that fails for a while replaces nothing. */
function isSame(own: Stats, look: () => Stats): boolean {
  try {
    const { dev, ino } = look();
    return dev === own.dev && ino === own.ino;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return !GONE.has(code);
  }
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

function held(directory: string, path: string): CodedError {
  const holder = /^\d+/.exec(readFileSync(path, 'utf8'))?.[0];
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new CodedError(
    'DIRECTORY_LOCKED',
    `${who} already renews the tokens in ${directory}; stop it first`,
    {
      directory,
      ...(holder === undefined ? {} : { pid: Number(holder) }),
    },
  );
}
