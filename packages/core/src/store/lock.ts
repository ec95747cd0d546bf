// One daemon for one credential directory: a kernel lock that dies with its holder, so
// that it can never be stale.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf, systemCode } from '../base/errors/errors.ts';
import { inDirectory } from '../base/files/safe-directory.ts';
import { readBytes } from '../base/files/safe-file.ts';
import { shellWord } from '../base/process/shell-word.ts';
import { LOCK_FILE } from '../credential/layout.ts';

/**
 * What the lock is worth: `held`; `file-replaced` when the lock file was removed or
 * replaced, so that another process can hold a lock on the same directory;
 * `directory-replaced` when the path leads to another directory, or to none.
 */
export type LockState = 'held' | 'file-replaced' | 'directory-replaced';

/** The lock of a directory. `state` looks at the disk; `release` ends the lock. */
export interface DirectoryLock {
  readonly state: () => LockState;
  readonly release: () => void;
}

/** How util-linux's flock says that somebody else holds the lock. */
const HELD = 75;

/** A process id and its newline are shorter, in bytes. */
const LONGEST_PID = 20;

/** Neither a link nor a FIFO leads away from here. */
const OPEN_FLAGS =
  constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Locks the directory for this process. flock(2) belongs to the open file, which this
 * process keeps: the kernel releases it at any kind of death, and it holds across
 * containers that share the file system.
 * @throws CodedError `DIRECTORY_LOCKED`, naming the process that holds it;
 * `CRED_DIR_INVALID` when the lock file cannot be used
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
    descriptor = inDirectory(directory, (here) =>
      openSync(join(here, LOCK_FILE), OPEN_FLAGS, 0o600),
    );
  } catch (error) {
    const link = systemCode(error) === 'ELOOP';
    const why = link
      ? `it is a symbolic link; remove it: rm ${shellWord(path)}`
      : `it cannot be opened (${systemCode(error) ?? messageOf(error)})`;
    throw unusable(path, why, error);
  }
  const stats = fstatSync(descriptor);
  // Its text is written in place: through a second name, into another file.
  const why = !stats.isFile()
    ? 'it is not a regular file'
    : stats.nlink === 1
      ? undefined
      : 'it has a second name (hard link)';
  if (why !== undefined) {
    closeSync(descriptor);
    throw unusable(path, `${why}; remove it: rm ${shellWord(path)}`);
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
  const holder = /^\d+/.exec(readBytes(descriptor, LONGEST_PID).toString('utf8'))?.[0];
  closeSync(descriptor);
  if (status === HELD) throw held(directory, holder);
  throw unusable(
    path,
    error
      ? `flock(1) of util-linux cannot be run (${systemCode(error) ?? error.message})`
      : `flock(1) failed with status ${status}`,
    error,
  );
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

/**
 * False when another file, or none, has the name by now. A disk that fails for a while
 * replaces nothing.
 */
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

function unusable(path: string, why: string, cause?: unknown): CodedError {
  return new CodedError('CRED_DIR_INVALID', `cannot lock ${path}: ${why}`, { path }, cause);
}

function held(directory: string, holder: string | undefined): CodedError {
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
