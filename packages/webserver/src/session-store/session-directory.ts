// The directory of sessions: made private, checked to be private, and cleaned of what is
// too old.
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { removeSync } from 'fs-extra/esm';
import { join } from 'node:path';
import { CodedError, messageOf, stageFile, systemCode, type Trust } from '@credmon/core/base';
import { ownerTag } from '../flow/context.ts';
import { MAX_OPEN_PER_USER } from '../flow/limits.ts';
import type { Settings } from '../settings/settings.ts';

/** Signs cookies; shared by all replicas that use the directory. */
const COOKIE_KEY_FILE = 'cookie.key';

/** The kinds of file in the directory besides the cookie key. */
type SessionFileKind = 'session' | 'flow' | 'answer';

/**
 * How long files count, in seconds: sessions since their last use (`idle`), flows since
 * their last event (`absolute`), answers that wait for a decision since they came
 * (`answer`).
 */
export interface SessionLimits {
  readonly idle: number;
  readonly absolute: number;
  readonly answer: number;
  /** How many sessions, as many flows, and as many answers there may be at once. */
  readonly count: number;
}

/**
 * A file's path: the owner's mark and the hash of the id, so that reading the directory
 * reveals no id.
 */
export function sessionPath(directory: string, id: string, kind: SessionFileKind): string {
  return join(
    directory,
    `${ownerTag(id)}-${createHash('sha256').update(id).digest('hex')}.${kind}`,
  );
}

/**
 * Makes room for a new file: of the owner's own files of this kind those unused for
 * longest go, and of everybody's what is too old.
 * @throws CodedError `SESSION_STORE_FULL` when there are still as many as may be
 */
export function makeRoom(
  directory: string,
  id: string,
  kind: SessionFileKind,
  now: number,
  limits: SessionLimits,
): void {
  const ofKind = (): string[] => readdirSync(directory).filter((name) => name.endsWith(`.${kind}`));
  const all = ofKind();
  const own = all.filter((name) => name.startsWith(`${ownerTag(id)}-`));
  if (own.length >= MAX_OPEN_PER_USER)
    return removeOldest(directory, own, own.length + 1 - MAX_OPEN_PER_USER);
  if (all.length < limits.count) return;
  pruneSessions(directory, now, limits);
  if (ofKind().length < limits.count) return;
  throw tooManyOpen(limits.count);
}

/** The error for a store that holds as many as it may. */
export function tooManyOpen(count: number): CodedError {
  return new CodedError(
    'SESSION_STORE_FULL',
    `${count} sign-ins are open at once, and no more are allowed (CREDMON_WEB_SESSION_LIMIT)`,
  );
}

function removeOldest(directory: string, names: readonly string[], count: number): void {
  const usedAt = (name: string): number =>
    statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const oldest = names.map((name) => ({ name, at: usedAt(name) })).sort((a, b) => a.at - b.at);
  for (const { name } of oldest.slice(0, count)) removeSync(join(directory, name));
}

/**
 * Does something that needs space on disk.
 * @throws CodedError `SESSION_STORE_FULL` when there is none
 */
export function needingSpace<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
    throw new CodedError(
      'SESSION_STORE_FULL',
      `the session directory has no space left (${code})`,
      {},
      error,
    );
  }
}

/**
 * Makes the directory, mode 0700, unless it is there.
 * @throws CodedError `CRED_DIR_INVALID` when it cannot be made, is a link or not a
 * directory, belongs to somebody else, or lets others in
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
 * Why a directory that is there cannot keep sessions: it is a link or no directory,
 * somebody else's, or open to others.
 */
export function sessionDirectoryProblem(directory: string): string | undefined {
  const found = lstatSync(directory);
  if (!found.isDirectory()) return 'it is not a directory';
  if (found.uid !== process.getuid?.())
    return `it belongs to user id ${found.uid}, and this process does not run as that`;
  return (found.mode & 0o077) === 0
    ? undefined
    : `others may enter it; run: chmod 700 ${directory}`;
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
 * The key that signs cookies; the first process makes it, and all get the same one.
 * @throws the system's error
 */
export function cookieKey(directory: string): string {
  const path = join(directory, COOKIE_KEY_FILE);
  const staged = stageFile(path, randomBytes(32).toString('base64url'), {
    mode: 0o600,
    durable: true,
  });
  try {
    linkSync(staged.temporaryPath, path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  } finally {
    staged.discard();
  }
  return readFileSync(path, 'utf8');
}

/**
 * The key that {@link cookieKey} has made; `undefined` when there is none yet.
 * @throws the system's error
 */
function storedCookieKey(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, COOKIE_KEY_FILE), 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Removes what is too old at `now` (epoch seconds), strays of dead processes too.
 * @returns how many
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

// Reads the secret of the session cookies without making one: for `--check`, which
// changes nothing.

/**
 * The secret that the running portal signs cookies with; `undefined` when no portal has
 * used this session store yet.
 * @throws CodedError `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`; the system's error when
 * the file cannot be read
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
