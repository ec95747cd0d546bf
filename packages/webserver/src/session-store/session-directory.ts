// The session directory: creates it, checks that it is private, and removes expired
// files.
import { hash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { join } from 'node:path';
import {
  CodedError,
  commitNew,
  messageOf,
  stageFile,
  systemCode,
  type Trust,
  writeFileAtomically,
} from '@credmon/core/base';
import { readCredentialFile } from '@credmon/core/store';
import { ownerTag } from '../flow/context.ts';
import { MAX_OPEN_PER_USER } from '../flow/flow.ts';
import type { Settings } from '../settings/settings.ts';
import type { OpenFiles, SessionFileKind } from './open-files.ts';

/** The key that signs cookies; all replicas that use the directory share it. */
const COOKIE_KEY_FILE = 'cookie.key';

/**
 * The lifetimes of files, in seconds: sessions since the last use (`idle`), flows since
 * the last event (`absolute`), answers since they were stored (`answer`).
 */
export interface SessionLimits {
  readonly idle: number;
  readonly absolute: number;
  readonly answer: number;
  /** The largest number of sessions, of flows, and of answers. */
  readonly count: number;
}

/**
 * Returns the name of a file: the owner tag and the hash of the id, so that a reader of
 * the directory learns no id.
 */
export function sessionFileName(id: string, kind: SessionFileKind): string {
  return `${ownerTag(id)}-${hash('sha256', id)}.${kind}`;
}

/** Returns the path of the file of {@link sessionFileName}. */
export function sessionPath(directory: string, id: string, kind: SessionFileKind): string {
  return `${directory}/${sessionFileName(id, kind)}`;
}

/**
 * Makes room for a new file: removes the least recently used files of the same owner and
 * kind, and expired files of all owners.
 * @throws CodedError `SESSION_STORE_FULL` if the limit is still reached
 */
export function makeRoom(
  directory: string,
  files: OpenFiles,
  id: string,
  kind: SessionFileKind,
  now: number,
  limits: SessionLimits,
): void {
  const own = files.ownOf(id, kind);
  if (own.size >= MAX_OPEN_PER_USER) {
    while (own.size >= MAX_OPEN_PER_USER) removeOldest(directory, files, own);
    return;
  }
  if (files.count(kind) < limits.count) return;
  pruneSessions(directory, now, limits);
  files.lookAgain();
  if (files.count(kind) < limits.count) return;
  throw tooManyOpen(limits.count);
}

/** Creates the error for a full store. */
export function tooManyOpen(count: number): CodedError {
  return new CodedError(
    'SESSION_STORE_FULL',
    `too many open sign-ins: the limit is ${count} (CREDMON_WEB_SESSION_LIMIT)`,
  );
}

/**
 * The time of a new file may be this much later than the noted one, in milliseconds: the
 * clock is read before the file is written.
 */
const WRITE_TIME = 10;

/**
 * Removes the file that was used least recently. A file is looked at only if it may be
 * this one: the time of its last use, once known, only grows.
 */
function removeOldest(directory: string, files: OpenFiles, names: ReadonlySet<string>): void {
  for (;;) {
    let oldest = '';
    let least = Infinity;
    for (const name of names) {
      const time = files.usedSince(name);
      if (time < least) [oldest, least] = [name, time];
    }
    const found = statSync(`${directory}/${oldest}`, { throwIfNoEntry: false });
    if (found && found.mtimeMs > least + WRITE_TIME) files.noteUse(oldest, found.mtimeMs);
    else return files.remove(oldest, found !== undefined);
  }
}

/**
 * Creates a file whose name no other process can know yet, with the modification time
 * `now` (epoch seconds). After a failure, the file does not exist.
 * @returns false if it exists already
 * @throws CodedError `SESSION_STORE_FULL` if the disk is full
 */
export function createFile(path: string, text: string, now: number): boolean {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let descriptor: number;
  try {
    descriptor = needingSpace(() => openSync(path, flags, 0o600));
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeWhole(descriptor, Buffer.from(text));
    stamp(descriptor, now);
    return true;
  } catch (error) {
    removeSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a file, which may exist, as a whole. It has the time `now` (epoch seconds). */
export function replaceFile(path: string, text: string, now: number): void {
  needingSpace(() => writeFileAtomically(path, text, { mode: 0o600, durable: false }));
  utimesSync(path, now, now);
}

/**
 * Creates a session file as a hard link to the log of its flow, if the log was created
 * less than about a second ago: creating a link takes half of the time of creating a
 * file.
 * @returns false if the session needs a file of its own
 */
export function linkToFlow(
  directory: string,
  path: string,
  newest: OpenFiles['newest'],
  flow: string | undefined,
  now: number,
): boolean {
  if (newest === undefined || newest.flow !== flow || Math.abs(now - newest.at) > 1) return false;
  try {
    linkSync(sessionPath(directory, newest.flow, 'flow'), path);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/**
 * Writes all bytes, at once.
 * @throws CodedError `SESSION_STORE_FULL` if there is no space for all of them
 */
export function writeWhole(descriptor: number, bytes: Uint8Array): void {
  if (needingSpace(() => writeSync(descriptor, bytes)) !== bytes.length)
    throw new CodedError(
      'SESSION_STORE_FULL',
      'disk full: a file in the session directory was only partly written',
    );
}

/**
 * Sets the time of an open file that was just written to `now` (epoch seconds), if that is
 * not the time of this machine, which the kernel has set.
 */
export function stamp(descriptor: number, now: number): void {
  if (Math.abs(Date.now() / 1000 - now) > 1) futimesSync(descriptor, now, now);
}

/**
 * Runs an operation that needs disk space.
 * @throws CodedError `SESSION_STORE_FULL` if the disk is full
 */
export function needingSpace<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    throw new CodedError(
      'SESSION_STORE_FULL',
      `no disk space left for the session directory (${code})`,
      {},
      error,
    );
  }
}

/**
 * Creates the directory with mode 0700, if it does not exist.
 * @throws CodedError `CRED_DIR_INVALID` if it cannot be created, is a link or not a
 * directory, is owned by another user, or is accessible to others
 */
export function prepareSessionDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
    chmodSync(directory, 0o700);
    return;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw invalid(directory, messageOf(error), error);
  }
  const problem = sessionDirectoryProblem(directory);
  if (problem !== undefined) throw invalid(directory, problem);
}

/**
 * Returns why an existing directory cannot store sessions: not a directory, another
 * owner, or accessible to others.
 */
export function sessionDirectoryProblem(directory: string): string | undefined {
  const found = lstatSync(directory);
  if (!found.isDirectory()) return 'it is not a directory';
  if (found.uid !== process.getuid?.())
    return `it is owned by user id ${found.uid}, and this process runs as another user`;
  return (found.mode & 0o077) === 0
    ? undefined
    : `other users can access it; fix: chmod 700 ${directory}`;
}

function invalid(directory: string, why: string, cause?: unknown): CodedError {
  return new CodedError(
    'CRED_DIR_INVALID',
    `CREDMON_WEB_SESSION_DIR ${directory}: ${why}`,
    { directory },
    cause,
  );
}

/**
 * Returns the key that signs cookies. The first process creates it; all processes get the
 * same key.
 * @throws the system error; CodedError `SECRET_UNREADABLE` if it is empty
 */
export function cookieKey(directory: string): string {
  const path = join(directory, COOKIE_KEY_FILE);
  const staged = stageFile(path, randomBytes(32).toString('base64url'), {
    mode: 0o600,
    durable: true,
  });
  try {
    commitNew(staged);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    staged.discard();
  }
  const key = readFileSync(path, 'utf8');
  if (key !== '') return key;
  // Without hard links: the process that makes it is not ready, or was killed.
  throw new CodedError(
    'SECRET_UNREADABLE',
    `${path} is empty; fix: start the portal again; if that does not help, remove the file`,
    { path },
  );
}

/**
 * Returns the key of {@link cookieKey}; `undefined` if there is none yet. `--check` may run
 * as root in the directory of another user: it follows no link there.
 * @throws CodedError `SECRET_UNREADABLE`
 */
function storedCookieKey(directory: string): string | undefined {
  const path = join(directory, COOKIE_KEY_FILE);
  const reading = readCredentialFile(path);
  if (reading.kind !== 'broken') return reading.kind === 'text' ? reading.text : undefined;
  throw new CodedError('SECRET_UNREADABLE', `${path} ${reading.reason}`, { path });
}

/**
 * Removes files that are expired at `now` (epoch seconds), including temporary files of
 * dead processes.
 * @returns the number of removed files
 */
export function pruneSessions(
  directory: string,
  now: number,
  limits: Pick<SessionLimits, 'idle' | 'absolute' | 'answer'>,
): number {
  let removed = 0;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const kind = /\.(session|flow|answer|credmon-tmp)$/.exec(name)?.[1];
    if (kind === undefined) continue;
    const usedAt = (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) / 1000;
    if (now - usedAt < lifetimeOf(kind, limits)) continue;
    removeSync(path);
    removed += 1;
  }
  return removed;
}

function lifetimeOf(
  kind: string,
  { idle, absolute, answer }: Pick<SessionLimits, 'idle' | 'absolute' | 'answer'>,
): number {
  if (kind === 'session') return idle;
  return kind === 'answer' ? answer : absolute;
}

/**
 * Reads the secret that signs session cookies without creating it, for `--check`;
 * `undefined` if no portal has used this session store yet.
 * @throws CodedError `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`
 */
export async function readCookieSecret(
  { sessionStore, sessionDirectory }: Settings,
  trust: Trust,
): Promise<string | undefined> {
  if (!sessionStore) return storedCookieKey(sessionDirectory);
  const { openRedis } = await import('./redis-link.ts');
  const link = await openRedis(sessionStore, () => undefined, trust);
  try {
    return await link.agreed('cookie-key');
  } finally {
    await link.close();
  }
}
