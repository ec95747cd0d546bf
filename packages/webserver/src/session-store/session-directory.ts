// The directory of sessions: made private, checked to be private, and cleaned of what is too old.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, messageOf, stageFile, systemCode } from '@credmon/core/base';

/** Signs cookies; shared by all replicas that use the directory. */
const COOKIE_KEY_FILE = 'cookie.key';

/** The kinds of file in the directory besides the cookie key. */
export type SessionFileKind = 'session' | 'flow';

/** A file's path: named by the hash of the id, so that reading the directory reveals no id. */
export function sessionPath(directory: string, id: string, kind: SessionFileKind): string {
  return join(directory, `${createHash('sha256').update(id).digest('hex')}.${kind}`);
}

/**
 * Makes the directory, mode 0700, unless it is there.
 * @throws CodedError `CRED_DIR_INVALID` when it cannot be made, is a link or not a directory, belongs to somebody else, or lets others in
 */
export function prepareSessionDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
    chmodSync(directory, 0o700);
    return;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw invalid(directory, messageOf(error), error);
  }
  const found = lstatSync(directory);
  if (!found.isDirectory()) throw invalid(directory, 'it is not a directory');
  if (found.uid !== process.getuid?.()) throw invalid(directory, 'it belongs to another user');
  if ((found.mode & 0o077) !== 0)
    throw invalid(directory, `others may enter it; run: chmod 700 ${directory}`);
}

function invalid(directory: string, why: string, cause?: unknown): CodedError {
  return new CodedError(
    'CRED_DIR_INVALID',
    `CREDMON_WEB_SESSION_DIR ${directory}: ${why}`,
    { directory },
    cause,
  );
}

/** The key that signs cookies; the first process makes it, and all get the same one. @throws the system's error */
export function cookieKey(directory: string): string {
  const path = join(directory, COOKIE_KEY_FILE);
  const staged = stageFile(path, randomBytes(32).toString('base64url'), { mode: 0o600, durable: true });
  try {
    linkSync(staged.temporaryPath, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    staged.discard();
  }
  return readFileSync(path, 'utf8');
}

/** Removes sessions and flows not written since `before` (epoch seconds). @returns how many */
export function pruneSessions(directory: string, before: number): number {
  let removed = 0;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name === COOKIE_KEY_FILE || !/\.(session|flow|credmon-tmp)$/.test(name)) continue;
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) / 1000 >= before) continue;
    rmSync(path, { force: true });
    removed += 1;
  }
  return removed;
}
