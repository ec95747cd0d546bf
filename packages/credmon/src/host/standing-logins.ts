// The directory of the logins of standing tokens: their refresh tokens, in the credential
// directory, readable for the daemon's user only.
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CodedError,
  inDirectory,
  inSubdirectory,
  isCoded,
  syncDirectory,
  systemCode,
} from '@credmon/core/base';
import { LOCK_FILE } from '@credmon/core/credential';
import { openCredentialDirectory, type CredentialStore } from '@credmon/core/store';
import { asStanding, LOGIN_USER, EMPTY_STORE } from '../providers/standing/login-store.ts';
import { STANDING } from '../providers/standing/names.ts';
import type { StandingOwner } from '../providers/standing/ports.ts';

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
export function daemonUser(credDir: string): StandingOwner {
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
