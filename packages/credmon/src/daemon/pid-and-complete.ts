// The daemon's files in the credential directory: pid and CREDMON_COMPLETE; and the watch
// of the directory.
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  openSync,
  unlinkSync,
  watch,
} from 'node:fs';
import { join } from 'node:path';
import { COMPLETE_FILE, PID_FILE, hintsAtTokens } from '@credmon/core/credential';
import {
  CodedError,
  inDirectory,
  isCoded,
  messageOf,
  shellWord,
  systemCode,
  writeFileAtomically,
  isAlive,
} from '@credmon/core/base';
import { lockHolder, readCredentialFile, type DirectoryLock } from '@credmon/core/store';

/**
 * Writes our process id for CredD, world-readable, by rename; the directory must be
 * locked.
 * @throws CodedError `CRED_DIR_INVALID` when something is in its place that a rename
 * cannot replace
 */
export function writePid(directory: string): void {
  const options = { mode: 0o644, durable: false, locked: true };
  inRoot(directory, PID_FILE, (path) => writeFileAtomically(path, `${process.pid}\n`, options));
}

/** Longer than any process id, in bytes. */
const LONGEST_PID = 64;

/**
 * Returns the process id in the pid file, or why there is none. Never blocks, and reads
 * no more than a pid file can contain.
 */
function readPid(directory: string): { readonly pid?: number; readonly why?: string } {
  const reading = unlessGone(() =>
    inDirectory(directory, (here) => readCredentialFile(join(here, PID_FILE), LONGEST_PID)),
  ) ?? { kind: 'missing' };
  if (reading.kind === 'missing') return {};
  if (reading.kind === 'broken') return { why: reading.reason };
  const pid = Number.parseInt(reading.text, 10);
  return pid > 0 ? { pid } : {};
}

/**
 * Returns the living daemon of a credential directory: the process in the pid file, or
 * the holder of the lock if that file was removed.
 */
export function runningDaemon(directory: string): number | undefined {
  try {
    const { pid } = readPid(directory);
    if (pid !== undefined && isAlive(pid)) return pid;
    return lockHolder(directory);
  } catch (error) {
    if (systemCode(error) === undefined && !isCoded(error)) throw error;
    return undefined;
  }
}

/**
 * Writes the pid file again if it was removed, because CredD signals the process in it.
 * Returns whether it was.
 */
export function restorePid(directory: string): boolean {
  const { pid, why } = readPid(directory);
  if (pid !== undefined || why !== undefined) return false;
  writePid(directory);
  return true;
}

/**
 * Removes CREDMON_COMPLETE: no pass has ended yet, or the daemon stops.
 * @throws CodedError `CRED_DIR_INVALID` when it cannot be removed
 */
export function clearComplete(directory: string): void {
  removeMark(directory, COMPLETE_FILE);
}

function removeMark(directory: string, name: string): void {
  inRoot(directory, name, (path) => unlinkSync(path), 'CRED_DIR_INVALID', 'may be gone');
}

/** Returns the result of `act`; `undefined` when the file or its directory is gone. */
function unlessGone<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes pid and CREDMON_COMPLETE at shutdown, unless the pid file names another
 * process: then both belong to that process. `warn` gets what cannot be removed; a
 * failure with one does not affect the other.
 */
export function removeMarks(directory: string, warn: (text: string) => void): void {
  const attempt = (name: string, act: () => void): void => {
    try {
      act();
    } catch (error) {
      warn(`cannot remove ${name}: ${messageOf(error)}`);
    }
  };
  let other = false;
  attempt(PID_FILE, () => {
    const { pid, why } = readPid(directory);
    other = pid !== undefined && pid !== process.pid;
    if (pid === process.pid) removeMark(directory, PID_FILE);
    if (why !== undefined) throw fileError(directory, PID_FILE, why);
  });
  if (!other) attempt(COMPLETE_FILE, () => clearComplete(directory));
}

/**
 * Touches CREDMON_COMPLETE: a pass has ended. Anything else in its place (a link, a FIFO,
 * a hard link) is replaced, with a warning.
 * @throws CodedError `CRED_FILE_IO` when that cannot be done
 */
export function touchComplete(directory: string, warn: (text: string) => void): void {
  inRoot(
    directory,
    COMPLETE_FILE,
    (path) => {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats && touchOwn(path)) return;
      writeFileAtomically(path, '', { mode: 0o644, durable: false, locked: true });
      if (stats)
        warn(
          `${join(directory, COMPLETE_FILE)} was not a regular file with a single link: ` +
            'it is replaced, its target is unchanged; fix: check who can write to the directory',
        );
    },
    'CRED_FILE_IO',
  );
}

/** Sets the times of a regular file with a single link; false for anything else. */
function touchOwn(path: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // A link, a FIFO without a reader, a socket, a device without a driver, a directory.
    if (['ELOOP', 'ENXIO', 'ENODEV', 'EISDIR', 'ENOENT'].includes(systemCode(error) ?? ''))
      return false;
    throw error;
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.nlink !== 1) return false;
    const now = new Date();
    futimesSync(descriptor, now, now);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Runs `act` with the path of a file in the credential directory, without following
 * links; errors give the path and the fix.
 */
function inRoot(
  directory: string,
  name: string,
  act: (path: string) => void,
  code: 'CRED_DIR_INVALID' | 'CRED_FILE_IO' = 'CRED_DIR_INVALID',
  presence: 'must be there' | 'may be gone' = 'must be there',
): void {
  try {
    inDirectory(directory, (here) => act(join(here, name)));
  } catch (error) {
    const system = systemCode(error);
    if (system === undefined) throw error;
    if (system === 'ENOENT' && presence === 'may be gone') return;
    throw fileError(directory, name, system, code);
  }
}

function fileError(
  directory: string,
  name: string,
  why: string,
  code: 'CRED_DIR_INVALID' | 'CRED_FILE_IO' = 'CRED_DIR_INVALID',
): CodedError {
  const path = join(directory, name);
  if (why === 'EISDIR' || why === 'is a directory')
    return new CodedError(code, `EISDIR: ${path} is a directory; fix: rm -r ${shellWord(path)}`, {
      path,
    });
  const text = /^[A-Z]+$/.test(why)
    ? `cannot be written or removed (${why})`
    : `${why}; fix: rm ${shellWord(path)}`;
  return new CodedError(code, `${path} ${text}`, { path });
}

/**
 * Calls `wake` when a change in the credential directory's top level may mean a new
 * token, with the name that has changed: the web portal does not signal. If the system
 * cannot watch, `warn` is called and only the timed passes remain. Returns a function that
 * stops the watch.
 */
export function watchDirectory(
  directory: string,
  wake: (name?: string) => void,
  warn: (text: string) => void,
): () => void {
  const failed = (error: unknown): void =>
    warn(
      `Cannot watch the credential directory, new logins wait for the next pass: ${messageOf(error)}`,
    );
  try {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null) wake();
      else if (hintsAtTokens(name)) wake(name);
    });
    watcher.on('error', failed);
    return () => watcher.close();
  } catch (error) {
    failed(error);
    return () => undefined;
  }
}

/**
 * True if pid and CREDMON_COMPLETE belong to this process. Without the lock they are ours
 * only until another daemon writes its process id.
 */
export function ownsMarks(directory: string, lock: DirectoryLock): boolean {
  const state = lock.state();
  return (
    state === 'held' || (state === 'file-replaced' && runningDaemon(directory) === process.pid)
  );
}
