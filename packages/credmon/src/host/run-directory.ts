// The daemon's files outside the credential directory: a status file for each user, a
// heartbeat for everyone, and the directories of requests and their results; and the check
// of that directory. Without it users see no status, but tokens are renewed all the same.
import { type CheckContext, isDenied, unseen } from '../checks/context.ts';
import type { Settings } from '../settings/read.ts';
import type { StatusFiles } from '../status/publisher.ts';
import {
  CodedError,
  type Finding,
  isCoded,
  messageOf,
  ok,
  shellWord,
  systemCode,
  warning,
  writeFileAtomically,
  wrong,
} from '@credmon/core/base';
import { type AccountIds, groupId } from '@credmon/core/config';
import { checkRunDirectory, lockDirectory } from '@credmon/core/store';
import {
  type Stats,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  statfsSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

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

const VIEW = "users' view";

/** The file system of a path: its device, and whether its files are in memory. */
export interface FileSystem {
  readonly device: number;
  readonly isMemory: boolean;
}

/**
 * Checks CREDMON_RUN_DIR. A directory that the daemon will create is no problem. If users
 * can fill /run, whose memory the whole machine needs, a directory that the administrator
 * chose gets a warning; for the default, the `ok` text mentions the risk.
 * `fileSystemOf` returns `undefined` for a path that cannot be read.
 */
export function checkUserView(
  { settings: { runDir, condorIds }, config }: Pick<CheckContext, 'settings' | 'config'>,
  fileSystemOf: (path: string) => FileSystem | undefined = readFileSystem,
): Finding {
  if (runDir === undefined) return ok(VIEW, 'off: users cannot see their own tokens');
  const isDefault = (config.origin('CREDMON_RUN_DIR')?.kind ?? 'default') === 'default';
  const found = (text: string, path: string): Finding => {
    if (!isShared(path, fileSystemOf)) return ok(VIEW, text);
    if (isDefault) return ok(VIEW, `${text}, ${DEFAULT_RISK}`);
    return warning(
      VIEW,
      `users can fill /run through ${runDir}/requests: both are in the same tmpfs; fix: ${ON_DISK}`,
    );
  };
  try {
    checkRunDirectory(runDir, { create: false, condor: condorIds });
    return found(`users see their own tokens, from ${runDir}`, runDir);
  } catch (error) {
    const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
    if (missing && existsSync(dirname(runDir)))
      return found(`${runDir} is missing: the daemon creates it`, dirname(runDir));
    if (isDenied(error)) return unseen(VIEW, runDir);
    return warning(VIEW, `users cannot see their own tokens: ${messageOf(error)}`);
  }
}

const ON_DISK = 'set CREDMON_RUN_DIR to a directory on a disk, for example /var/lib/condor_credmon';
const DEFAULT_RISK = `in the tmpfs of /run, which users can fill; if users are not trusted, ${ON_DISK}`;

function isShared(path: string, fileSystemOf: (path: string) => FileSystem | undefined): boolean {
  const [own, run] = [path, '/run'].map(fileSystemOf);
  return own?.isMemory === true && own.device === run?.device;
}

/** Checks CREDMON_TOKEN_GROUP, whose members ask the daemon through the run directory. */
export function checkTokenGroup({ tokens: { group }, runDir }: Settings): Finding[] {
  const what = 'condor_credmon token';
  if (group === undefined) return [];
  if (runDir === undefined)
    return [
      wrong(
        what,
        `CREDMON_RUN_DIR = none: the members of the group ${group} (CREDMON_TOKEN_GROUP) ` +
          'cannot ask for tokens',
      ),
    ];
  // A number would be read as a group id, not as a name.
  if (!/^\d+$/.test(group) && groupId(group) !== undefined)
    return [ok(what, `members of the group ${group} get tokens from the daemon`)];
  return [
    wrong(
      what,
      `the group ${group} does not exist (CREDMON_TOKEN_GROUP): nobody but root gets a token; ` +
        `fix: groupadd ${shellWord(group)}`,
    ),
  ];
}

/** The type of tmpfs. @see statfs(2) */
const TMPFS = 0x0102_1994;

function readFileSystem(path: string): FileSystem | undefined {
  try {
    return { device: statSync(path).dev, isMemory: statfsSync(path).type === TMPFS };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
