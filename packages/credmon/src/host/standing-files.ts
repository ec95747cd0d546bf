// The files of standing tokens, and their owners; and the directory of their logins: refresh
// tokens, in the credential directory, readable for the daemon's user only.
import { EMPTY_STORE, LOGIN_USER, asStanding } from '../providers/standing/login-store.ts';
import {
  STANDING,
  type StandingFiles,
  type StandingOwner,
  type StandingReading,
} from '../providers/standing/ports.ts';
import {
  CodedError,
  inDirectory,
  inSubdirectory,
  isAliveElsewhere,
  isCoded,
  messageOf,
  milliseconds,
  syncDirectory,
  systemCode,
  writeFileAtomically,
  runFile,
} from '@credmon/core/base';
import { LOCK_FILE, classifyUserEntry } from '@credmon/core/credential';
import {
  type CredentialStore,
  openCredentialDirectory,
  readCredentialFile,
} from '@credmon/core/store';
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file in the credential directory; no user name begins with a dot. */
const STATE_FILE = '.credmon-standing.json';

/**
 * Creates the ports with real files, and with the credential directory if state is to be
 * stored. A user once found is not looked up again.
 */
export function standingFiles(credDir?: string): StandingFiles {
  const owners = createOwners();
  return {
    read,
    write: (path, text, mode, owner) =>
      inDirectory(dirname(path), (directory) => {
        const name = basename(path);
        removeLeftovers(directory, name);
        writeFileAtomically(join(directory, name), text, {
          mode,
          durable: false,
          ...(owner === undefined ? {} : { owner }),
        });
      }),
    owner: (name) => owners.owner(name),
    lookUpOwners: (names) => owners.lookUp(names),
    recall: () => {
      const reading = credDir === undefined ? undefined : readIn(credDir, STATE_FILE);
      return reading?.kind === 'text' ? reading.text : undefined;
    },
    keep: (text) => {
      if (credDir === undefined) return;
      inDirectory(credDir, (directory) =>
        writeFileAtomically(join(directory, STATE_FILE), text, { mode: 0o600, durable: false }),
      );
    },
  };
}

/**
 * Removes temporary files of this name whose process was killed: no scan looks into the
 * directories of services. Errors are ignored: the write reports what matters.
 */
function removeLeftovers(directory: string, name: string): void {
  try {
    for (const found of readdirSync(directory)) {
      const entry = classifyUserEntry(found);
      if (entry.kind === 'temporary' && entry.target === name && !isAliveElsewhere(entry.pid))
        unlinkSync(join(directory, found));
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

function read(path: string): StandingReading {
  return readIn(dirname(path), basename(path));
}

/** Reads a file in a directory without following links that another user could change. */
function readIn(where: string, name: string): StandingReading {
  try {
    return inDirectory(where, (directory) => {
      const path = join(directory, name);
      const reading = readCredentialFile(path);
      if (reading.kind !== 'text') return reading;
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats
        ? { ...reading, mode: stats.mode & 0o7777, uid: stats.uid }
        : { kind: 'missing' };
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined && !isCoded(error)) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'broken', reason: `cannot be read (${code ?? messageOf(error)})` };
  }
}

// Looks up the owners of standing tokens in the system's name services without blocking
// the event loop.

/** Time-out of a name service, in milliseconds. */
const LOOKUP_TIMEOUT = 2000;
/** Time until an unknown user is looked up again, in milliseconds; doubled each time. */
const FIRST_PAUSE = 60_000;
/** Maximum of that time, in milliseconds. */
const LONGEST_PAUSE = 3_600_000;

/** getent uses all name services, not only /etc/passwd. */
const GETENT = 'getent';
const argumentsFor = (name: string): string[] => ['passwd', '--', name];

/** User and group ids by user name. */
interface Owners {
  /**
   * Looks up unknown names. Resolves when every name was looked up once, after two
   * seconds at most.
   */
  lookUp(names: readonly string[]): Promise<void>;
  /**
   * Returns a user by name; `undefined` when not known. Only a name that {@link
   * Owners.lookUp} never got is looked up here.
   */
  owner(name: string): StandingOwner | undefined;
}

/**
 * An unknown user: when to look it up again (milliseconds of the steady clock), and the
 * pause before that.
 */
interface Unknown {
  readonly again: number;
  readonly pause: number;
}

/**
 * Creates the look-up. A user once found is not looked up again. `now`: milliseconds of a
 * steady clock; `askOne` must not reject.
 */
export function createOwners(
  now: () => number = milliseconds,
  lookUpOne: (name: string) => Promise<StandingOwner | undefined> = lookUpInSystem,
): Owners {
  const known = new Map<string, StandingOwner>();
  const unknown = new Map<string, Unknown>();
  const running = new Map<string, Promise<void>>();

  const record = (name: string, found: StandingOwner | undefined): void => {
    if (found) {
      known.set(name, found);
      unknown.delete(name);
      return;
    }
    const pause = Math.min(LONGEST_PAUSE, 2 * (unknown.get(name)?.pause ?? FIRST_PAUSE / 2));
    unknown.set(name, { again: now() + pause, pause });
  };

  const start = (name: string): Promise<void> => {
    const before = running.get(name);
    if (before) return before;
    const lookup = lookUpOne(name).then((found) => {
      record(name, found);
      running.delete(name);
      return undefined;
    });
    running.set(name, lookup);
    return lookup;
  };

  return {
    lookUp: async (names) => {
      const first: Promise<void>[] = [];
      for (const name of new Set(names)) {
        if (known.has(name)) continue;
        const missing = unknown.get(name);
        if (!missing) first.push(start(name));
        else if (missing.again <= now()) void start(name);
      }
      await Promise.all(first);
    },
    owner: (name) => {
      if (!known.has(name) && !unknown.has(name) && !running.has(name))
        record(name, lookUpInSystemSync(name));
      return known.get(name);
    },
  };
}

function lookUpInSystem(name: string): Promise<StandingOwner | undefined> {
  const options = { encoding: 'utf8', timeout: LOOKUP_TIMEOUT, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    runFile(GETENT, argumentsFor(name), options, (error, stdout) =>
      resolve(error ? undefined : ownerIn(stdout)),
    );
  });
}

function lookUpInSystemSync(name: string): StandingOwner | undefined {
  const { status, stdout } = spawnSync(GETENT, argumentsFor(name), {
    encoding: 'utf8',
    timeout: LOOKUP_TIMEOUT,
  });
  return status === 0 ? ownerIn(stdout) : undefined;
}

/** Parses the ids in a line of the password database. @see passwd(5) */
function ownerIn(line: string): StandingOwner | undefined {
  const [, , uid = '', gid = ''] = line.split(':');
  return /^\d+$/.test(uid) && /^\d+$/.test(gid)
    ? { uid: Number(uid), gid: Number(gid) }
    : undefined;
}

/** A directory in the credential directory; no user name begins with a dot. */
const FOLDER = '.credmon-standing';
const DIRECTORY_MODE = 0o700;
/** Tokens have no lifetime here: only their refresh tokens are in this directory. */
const NO_LIFETIME = 1;

type Options = Omit<Parameters<typeof openCredentialDirectory>[1], 'defaultLifetime'>;

/**
 * Opens the logins in the credential directory. Without the directory there are none; the
 * first login creates it.
 */
export function openStandingLogins(credDir: string, options: Options = {}): CredentialStore {
  const root = join(credDir, FOLDER);
  const store = openCredentialDirectory(root, { ...options, defaultLifetime: NO_LIFETIME });
  const isThere = (): boolean => lstatSync(root, { throwIfNoEntry: false }) !== undefined;
  return asStanding({
    ...store,
    scan: (now, habits) => (isThere() ? store : EMPTY_STORE).scan(now, habits),
  });
}

/**
 * Returns the daemon's user: the owner of the lock file, which only the daemon creates;
 * before its first start, this process's user.
 */
function daemonUser(credDir: string): StandingOwner {
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const stats = lstatSync(join(credDir, LOCK_FILE), { throwIfNoEntry: false });
  return stats ? { uid: stats.uid, gid: stats.gid } : own;
}

/**
 * Returns why this process cannot store a login, as a clause; `undefined` if it can.
 */
export function whyNotStored(credDir: string): string | undefined {
  const self = process.geteuid?.() ?? 0;
  const { uid } = daemonUser(credDir);
  return self === 0 || self === uid
    ? undefined
    : `only root and the user id ${uid} of the daemon can store a login`;
}

/** How often the daemon may replace the old refresh token while a login is stored. */
const ATTEMPTS = 20;

/**
 * Stores the `.top` of a login durably; an earlier one is replaced, also while the daemon
 * renews with it.
 * @throws CodedError `CRED_FILE_IO`, or the system's error
 */
export function storeLogin(credDir: string, name: string, top: string): void {
  asUser(daemonUser(credDir), () => {
    createFolder(credDir);
    const store = openStandingLogins(credDir);
    for (let attempt = 1; ; attempt += 1) {
      const { topIdentity: from } = store.read(STANDING, name);
      const writes = [
        { kind: 'top', text: top, durable: true },
        { kind: 'renewal', text: undefined, durable: false },
      ] as const;
      try {
        return store.apply({ user: STANDING, stem: name, from, writes });
      } catch (error) {
        if (!isCoded(error, 'CRED_SUPERSEDED') || attempt === ATTEMPTS) throw error;
      }
    }
  });
}

/** Creates the directories, so that they survive a power failure. */
function createFolder(credDir: string): void {
  const create = (parent: string, name: string): void => {
    try {
      mkdirSync(join(parent, name), DIRECTORY_MODE);
      // Some systems set the setgid bit of the parent; the umask may take other bits.
      chmodSync(join(parent, name), DIRECTORY_MODE);
      syncDirectory(parent);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  };
  inDirectory(credDir, (top) => {
    create(top, FOLDER);
    inSubdirectory(top, FOLDER, (folder) => {
      const { mode, uid } = lstatSync(`${folder}/.`);
      if ((mode & 0o077) !== 0 || uid !== process.geteuid?.())
        throw new CodedError(
          'CRED_DIR_INVALID',
          `${join(credDir, FOLDER)} must belong to the user of the daemon with mode 0700`,
        );
      create(folder, LOGIN_USER);
    });
  });
}

/** Runs `act` as the daemon's user, so that the daemon can read what is written. */
function asUser<T>({ uid, gid }: StandingOwner, act: () => T): T {
  if (process.geteuid?.() === uid || !process.seteuid || !process.setegid) return act();
  const before = process.getegid?.() ?? 0;
  process.setegid(gid);
  process.seteuid(uid);
  try {
    return act();
  } finally {
    process.seteuid(0);
    process.setegid(before);
  }
}
