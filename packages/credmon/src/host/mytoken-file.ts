// The file of a mytoken: one process at a time uses a mytoken that the server replaces, and
// the new one is on disk before the old one counts as spent.
import { spawnSync } from 'node:child_process';
import { constants, openSync, realpathSync, statSync } from 'node:fs';
import {
  CodedError,
  isRecord,
  jwtClaims,
  stageFile,
  systemCode,
  writeFileAtomically,
} from '@credmon/core/base';
import { readSecretFile } from './secret-file.ts';

/** An open mytoken file. The lock ends with this process. */
export interface MytokenFile {
  readonly mytoken: string;
  /** Replaces the mytoken durably. @throws the system's error */
  readonly store: (mytoken: string) => void;
}

/** Maximum seconds to wait for another process that uses the same mytoken. */
const LOCK_SECONDS = 5;
/** The exit code of util-linux's flock when another process holds the lock. */
const HELD = 75;

/**
 * Reads a mytoken. One that the server may replace is locked for this process, and read
 * again under the lock, after at most `lockSeconds`; it is used only if a new one could be
 * stored.
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
    ['--exclusive', '--timeout', String(seconds), '--conflict-exit-code', String(HELD), '3'],
    { stdio: ['ignore', 'ignore', 'ignore', descriptor] },
  );
  if (status === 0) return;
  if (status === HELD)
    throw new CodedError('ISSUER_BUSY', 'another process uses the same mytoken', { path });
  throw notWritable(path, error ?? new Error(`flock(1) failed with status ${status}`));
}

/** A rotated mytoken that cannot be stored is lost: the disk is tried before its use. */
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
