// The daemon's files outside the credential directory: a status file for each user, a
// heartbeat for everyone, and the directories of requests and their results.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import {
  CodedError,
  isCoded,
  shellWord,
  systemCode,
  writeFileAtomically,
} from '@credmon/core/base';
import type { AccountIds } from '@credmon/core/config';
import { checkRunDirectory, lockDirectory } from '@credmon/core/store';
import type { StatusFiles } from '../status/publisher.ts';

/** The names in the run directory. */
const [STATUS, REQUESTS, RESULTS, TAKEN] = ['status', 'requests', 'results', 'taken'];
const HEARTBEAT = 'daemon.json';

/** Everyone may enter, nobody else may list names. Known names can be looked up. */
const ENTER_ONLY = 0o711;
/** Everyone may create files, remove their own, and not list those of others. */
const DROP = 0o1733;
/** Nobody else may enter: requests are read where no user can change their names. */
const PRIVATE = 0o700;

/** Returns the path of a user's status file. */
export function statusPath(runDir: string, user: string): string {
  return join(runDir, STATUS, `${user}.json`);
}

/** Returns the path of the daemon's heartbeat. */
export function heartbeatPath(runDir: string): string {
  return join(runDir, HEARTBEAT);
}

/** Returns the directory into which users put requests. */
export function requestDirectory(runDir: string): string {
  return join(runDir, REQUESTS);
}

/** Returns the directory of the results of requests. */
export function resultDirectory(runDir: string): string {
  return join(runDir, RESULTS);
}

/** The run directory of a running daemon. */
export interface RunDirectory {
  /** Its path without links. */
  readonly path: string;
  /** Where users put requests, and where they find the results. */
  readonly requests: string;
  readonly results: string;
  /** Where the daemon moves requests before it looks at them. */
  readonly taken: string;
  readonly statusFiles: StatusFiles;
  /** Replaces the heartbeat. @throws the system's error */
  beat(this: void, text: string): void;
  /** True as long as all directories are those that were opened. */
  isIntact(this: void): boolean;
  /** Removes the heartbeat, and lets another daemon use the directory. */
  close(this: void): void;
}

/**
 * Opens the run directory for this daemon alone; creates what is missing in it.
 * @throws CodedError `CRED_DIR_INVALID` with the fix, also when another daemon uses it
 */
export function openRunDirectory(configured: string, condor: AccountIds | undefined): RunDirectory {
  const path = checkRunDirectory(configured, { create: true, condor });
  if ((lstatSync(path).mode & 0o7777) !== 0o755) chmodSync(path, 0o755);
  const lock = lockAlone(path);
  try {
    const status = prepare(path, STATUS, ENTER_ONLY);
    const taken = prepare(path, TAKEN, PRIVATE);
    const [requests, results] = [prepare(path, REQUESTS, DROP), prepare(path, RESULTS, ENTER_ONLY)];
    const own = [path, status, requests, results, taken];
    const stats = own.map((each) => ({ each, before: lstatSync(each) }));
    const isIntact = (): boolean =>
      lock.state() === 'held' && stats.every(({ each, before }) => isSame(before, each));
    return {
      path,
      requests,
      results,
      taken,
      statusFiles: statusFilesIn(status),
      isIntact,
      beat: (text) =>
        writeFileAtomically(heartbeatPath(path), text, { mode: 0o644, durable: false }),
      close: () => {
        // Another daemon's heartbeat stays.
        if (isIntact()) removeIfThere(heartbeatPath(path));
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The message of a held lock is about a credential directory. */
function lockAlone(path: string): ReturnType<typeof lockDirectory> {
  try {
    return lockDirectory(path);
  } catch (error) {
    if (!isCoded(error, 'DIRECTORY_LOCKED')) throw error;
    throw invalid(
      path,
      `is used by another condor_credmon (process ${String(error.fields['pid'] ?? 'unknown')}); ` +
        'fix: give each daemon its own CREDMON_RUN_DIR',
    );
  }
}

/** True if the path leads to the same directory as before. Never throws. */
function isSame({ dev, ino }: Stats, path: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.dev === dev && stats.ino === ino;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** Creates or checks a directory in the run directory, in which only root may write. */
function prepare(runDir: string, name: string, mode: number): string {
  const path = join(runDir, name);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
  const stats = lstatSync(path);
  if (!stats.isDirectory())
    throw invalid(runDir, `has ${name}, which is not a directory; fix: rm ${shellWord(path)}`);
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.())
    throw invalid(
      runDir,
      `has ${name}, which belongs to user id ${stats.uid}; fix: chown root ${shellWord(path)}`,
    );
  if ((stats.mode & 0o7777) !== mode) chmodSync(path, mode);
  return path;
}

function invalid(path: string, what: string): CodedError {
  return new CodedError('CRED_DIR_INVALID', `the run directory ${path} ${what}`, { path });
}

function statusFilesIn(directory: string): StatusFiles {
  return {
    write: (user, text, owner) =>
      writeFileAtomically(join(directory, `${user}.json`), text, {
        mode: 0o400,
        durable: false,
        owner,
      }),
    remove: (user) => removeIfThere(join(directory, `${user}.json`)),
    keepOnly: (keep) => {
      for (const name of readdirSync(directory)) {
        const user = /^(.*)\.json$/s.exec(name)?.[1];
        if (user === undefined || !keep(user)) removeIfThere(join(directory, name));
      }
    },
  };
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** This process, as users find it. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly pidNamespace: string;
}

/** Returns the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, pidNamespace: pidNamespace() };
}

/** Returns the ids of this process, as the owner of its files. */
export function ownIds(): AccountIds {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/**
 * Returns a text that is the same for processes that see the same process ids; empty if
 * it cannot be read.
 * @see pid_namespaces(7)
 */
export function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
