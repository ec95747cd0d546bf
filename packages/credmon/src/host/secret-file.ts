// Reads client secret files for every renewal, so that a new secret needs no restart; and
// the file of a mytoken: one process at a time uses a mytoken that the server replaces,
// and the new one is on disk before the old one counts as spent.
import {
  CodedError,
  isRecord,
  jwtClaims,
  readSafely,
  shellWord,
  stageFile,
  systemCode,
  writeFileAtomically,
} from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';
import { spawnSync } from 'node:child_process';
import { type Stats, constants, openSync, realpathSync, statSync } from 'node:fs';

/** Maximum size of a secret file, in bytes; a larger one is a mistake. */
const LARGEST_SECRET = 64 * 1024;

/**
 * Returns the secret in a file: up to its first control character, as CredD does, or all
 * of it, for PEM keys. Rejects a file that group or others can read, or that belongs
 * neither to root nor to this process's user. Follows a link if only root or this process
 * can have created it.
 */
export function readSecretFile(path: string, form: 'line' | 'whole' = 'line'): Parsed<string> {
  const reading = readSafely(path, LARGEST_SECRET);
  if (reading.kind === 'missing') return { ok: false, reason: 'is missing' };
  if (reading.kind === 'broken') return { ok: false, reason: reading.reason };
  const { mode, uid } = reading;
  if ((mode & 0o077) !== 0)
    return { ok: false, reason: `can be read by others; fix: chmod go-rwx ${shellWord(path)}` };
  if (uid !== 0 && uid !== process.geteuid?.())
    return { ok: false, reason: `belongs to user id ${uid}; fix: chown root ${shellWord(path)}` };
  const secret = form === 'whole' ? reading.text : (/^[^\p{Cc}]*/u.exec(reading.text)?.[0] ?? '');
  return secret === '' ? { ok: false, reason: 'is empty' } : { ok: true, value: secret };
}

/** How long a secret is used again, in milliseconds. */
const HELD = 1000;

/**
 * Returns {@link readSecretFile} for many renewals in a row: a secret that was read less
 * than a second ago is used again if its path still leads to the same, unchanged file.
 */
export function createSecretReader(): typeof readSecretFile {
  const held = new Map<string, { version: string; until: number; secret: Parsed<string> }>();
  return (path, form) => {
    const key = `${form ?? 'line'} ${path}`;
    const known = held.get(key);
    const version = wholeVersion(path);
    if (known?.version === version && performance.now() < known.until) return known.secret;
    const secret = readSecretFile(path, form);
    if (secret.ok) held.set(key, { version, until: performance.now() + HELD, secret });
    else held.delete(key);
    return secret;
  };
}

/**
 * Changes when the file is replaced, rewritten, created or becomes readable; never
 * throws.
 */
export function secretVersion(path: string): string {
  return versionBy(path, ({ ino, mtimeMs, size }) => [ino, mtimeMs, size]);
}

/** Like {@link secretVersion}, and changes with the owner and the permissions, too. */
function wholeVersion(path: string): string {
  return versionBy(path, ({ dev, ino, mtimeMs, ctimeMs, size }) => [
    dev,
    ino,
    mtimeMs,
    ctimeMs,
    size,
  ]);
}

function versionBy(path: string, of: (stats: Stats) => readonly number[]): string {
  try {
    return of(statSync(path)).join(':');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** An open mytoken file. The lock ends with this process. */
export interface MytokenFile {
  readonly mytoken: string;
  /** Replaces the mytoken durably. @throws the system's error */
  readonly store: (mytoken: string) => void;
}

/** Maximum seconds to wait for another process that uses the same mytoken. */
const LOCK_SECONDS = 5;
/** The exit code of util-linux's flock when another process holds the lock. */
const LOCK_HELD_ELSEWHERE = 75;

/**
 * Reads a mytoken. If the server may replace the mytoken, its file is first locked for
 * this process (waits at most `lockSeconds` seconds) and read again. Such a mytoken is
 * used only if a new one can be stored.
 * @throws CodedError `SECRET_UNREADABLE` when it cannot be read; `CRED_FILE_IO` when a new
 * one could not be stored; `ISSUER_BUSY` when another process uses it for too long
 */
export function openMytokenFile(path: string, lockSeconds: number = LOCK_SECONDS): MytokenFile {
  const first = readMytoken(path);
  if (!mayRotate(first)) return { mytoken: first, store: storeIn(path) };
  const real = realpathSync(path);
  lock(`${real}.lock`, lockSeconds);
  const mytoken = readMytoken(path);
  checkWritable(real, mytoken);
  return { mytoken, store: storeIn(path) };
}

/** Writes a new mytoken file, or replaces one. @throws the system's error */
export function writeMytokenFile(path: string, mytoken: string): void {
  storeIn(path)(mytoken);
}

function readMytoken(path: string): string {
  const secret = readSecretFile(path);
  if (secret.ok) return secret.value.trim();
  throw new CodedError('SECRET_UNREADABLE', `the mytoken file ${path} ${secret.reason}`, { path });
}

/**
 * A JWT says whether it is replaced when it is used for an access token; an opaque mytoken
 * does not.
 * @see https://mytoken-docs.data.kit.edu/dev/api/latest/types/rotation
 */
function mayRotate(mytoken: string): boolean {
  const claims = jwtClaims(mytoken);
  if (claims === undefined) return true;
  const { rotation } = claims;
  return isRecord(rotation) && rotation['on_AT'] === true;
}

/** flock(2) belongs to the open file, which stays open until this process ends. */
function lock(path: string, seconds: number): void {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let descriptor: number;
  try {
    descriptor = openSync(path, flags, 0o600);
  } catch (error) {
    throw notWritable(path, error);
  }
  const { status, error } = spawnSync(
    'flock',
    [
      '--exclusive',
      '--timeout',
      String(seconds),
      '--conflict-exit-code',
      String(LOCK_HELD_ELSEWHERE),
      '3',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', descriptor] },
  );
  if (status === 0) return;
  if (status === LOCK_HELD_ELSEWHERE)
    throw new CodedError('ISSUER_BUSY', 'another process uses the same mytoken', { path });
  throw notWritable(path, error ?? new Error(`flock(1) failed with status ${status}`));
}

/**
 * Tests the disk before a mytoken is used: a new mytoken that cannot be stored is lost.
 */
function checkWritable(path: string, mytoken: string): void {
  try {
    stageFile(path, `${mytoken}\n`, { mode: 0o600, durable: true }).discard();
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, error: unknown): CodedError {
  const why = systemCode(error) ?? (error instanceof Error ? error.message : 'failed');
  return new CodedError(
    'CRED_FILE_IO',
    `a new mytoken could not be stored beside ${path} (${why})`,
    { path },
    error,
  );
}

/** A link is kept: its target is replaced. The owner stays the same. */
function storeIn(path: string): (mytoken: string) => void {
  return (mytoken) => {
    const before = targetOf(path);
    writeFileAtomically(before.path, `${mytoken}\n`, {
      mode: 0o600,
      durable: true,
      ...(before.owner === undefined ? {} : { owner: before.owner }),
    });
  };
}

function targetOf(path: string): {
  readonly path: string;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
} {
  try {
    const real = realpathSync(path);
    const { uid, gid } = statSync(real);
    return { path: real, owner: { uid, gid } };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return { path };
  }
}
