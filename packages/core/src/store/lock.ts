// One daemon for each credential directory: a kernel lock that ends with its process, so
// that it is never stale.
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
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
import { shellWord } from '../base/text/printable.ts';
import { LOCK_FILE } from '../credential/file-names.ts';

/**
 * The state of the lock: `held`; `file-replaced` if the lock file was removed or
 * replaced, so that another process may hold a lock on the same directory;
 * `directory-replaced` if the path leads to another directory, or to none.
 */
export type LockState = 'held' | 'file-replaced' | 'directory-replaced';

/** The lock of a directory. `state` checks the disk; `release` ends the lock. */
export interface DirectoryLock {
  readonly state: () => LockState;
  readonly release: () => void;
}

/** The exit code of util-linux's flock when another process holds the lock. */
const HELD = 75;

/** The maximum length of a process id and its newline, in bytes. */
const LONGEST_PID = 20;

/** Does not follow a link, and does not block on a FIFO. */
const NEVER_WAIT = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | NEVER_WAIT;

/**
 * Locks the directory for this process. flock(2) belongs to the open file: the kernel
 * releases it when this process ends in any way, and it works across containers that
 * share the file system.
 * @throws CodedError `DIRECTORY_LOCKED` with the holder's process id; `CRED_DIR_INVALID`
 * when the lock file cannot be used
 * @see flock(1), flock(2)
 */
export function lockDirectory(directory: string): DirectoryLock {
  for (let attempt = 1; attempt < MOST_ATTEMPTS; attempt += 1) {
    const lock = lockFile(directory);
    if (lock.state() === 'held') return lock;
    // The file was replaced after it was opened: that lock excludes no other process.
    lock.release();
  }
  return lockFile(directory);
}

/**
 * The maximum number of attempts if the lock file is replaced while it is being locked.
 */
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
      ? `it is a symbolic link; fix: rm ${shellWord(path)}`
      : `failed to open it (${systemCode(error) ?? messageOf(error)})`;
    throw unusable(path, why, error);
  }
  const stats = fstatSync(descriptor);
  // The process id is written in place: a second name would change another file.
  const why = !stats.isFile()
    ? 'it is not a regular file'
    : stats.nlink === 1
      ? undefined
      : 'it has a second name (hard link)';
  if (why !== undefined) {
    closeSync(descriptor);
    throw unusable(path, `${why}; fix: rm ${shellWord(path)}`);
  }
  const { status, error } = flock('exclusive', descriptor);
  if (status === 0) {
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `${process.pid}\n`, 0);
    return lockOf(directory, path, descriptor);
  }
  const holder = writtenPid(descriptor);
  closeSync(descriptor);
  if (status === HELD) throw held(directory, holder);
  throw unusable(
    path,
    error
      ? `cannot run flock(1) of util-linux (${systemCode(error) ?? error.message})`
      : `flock(1) failed with status ${status}`,
    error,
  );
}

function flock(
  mode: 'exclusive' | 'shared',
  descriptor: number,
): Pick<SpawnSyncReturns<Buffer>, 'status' | 'error'> {
  const options = ['--nonblock', '--conflict-exit-code', String(HELD)];
  return spawnSync('flock', [`--${mode}`, ...options, '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
}

function writtenPid(descriptor: number): string | undefined {
  return /^\d+/.exec(readBytes(descriptor, LONGEST_PID).toString('utf8'))?.[0];
}

/**
 * The process that holds the lock of a directory; `undefined` if there is none, or this
 * user may not look.
 */
export function lockHolder(directory: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = inDirectory(directory, (here) =>
      openSync(join(here, LOCK_FILE), constants.O_RDONLY | NEVER_WAIT),
    );
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
  try {
    if (!fstatSync(descriptor).isFile() || flock('shared', descriptor).status !== HELD)
      return undefined;
    const pid = Number(writtenPid(descriptor));
    return pid > 0 ? pid : undefined;
  } finally {
    closeSync(descriptor);
  }
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
 * False if the name belongs to another file or none. Temporary disk errors count as
 * unchanged.
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
      pid: holder === undefined ? undefined : Number(holder),
    },
  );
}
