// Applies a change of one token, file by file, and stops if another login has replaced
// `.top`.
import { closeSync, lstatSync, lutimesSync } from 'node:fs';
import { join } from 'node:path';
import {
  openForSync,
  openStaged,
  removeIfThere,
  type OpenStagedFile,
} from '../base/files/atomic-write.ts';
import { CodedError, systemCode } from '../base/errors/errors.ts';
import { STATE_KINDS, tokenFileName } from '../credential/file-names.ts';
import { sameIdentity, tokenId, type FileIdentity } from '../credential/snapshot.ts';
import { type Origins, progressFields, type Progress } from './progress.ts';
import { identityFromStat } from './read-file.ts';
import type { Reserve } from './reserve.ts';
import type { TokenChange, TokenWrite } from './store.ts';
import { isInPlace, openUserDirectory } from './directory-names.ts';
import { runInGroup, runNow, type Steps, type SyncGroup } from './sync-group.ts';

/**
 * Mode bits of the credential files: CredD and the shadow reject any bit for group or
 * others.
 */
const TOKEN_MODE = 0o400;
const STATE_MODE = 0o600;

/** The context of a change. `locked`: this process holds the lock of the directory. */
export interface ApplyParts {
  readonly root: string;
  readonly locked: boolean;
  readonly origins: Origins;
  readonly reserve?: Pick<Reserve, 'release'> | undefined;
}

/**
 * Applies a change, see `CredentialStore.apply`. Returns the version of `.top`
 * afterwards.
 * @throws CodedError `CRED_SUPERSEDED`, `CRED_FILE_IO`
 */
export function applyChange(parts: ApplyParts, change: TokenChange): FileIdentity | undefined {
  return runNow(stepsOf(parts, change));
}

/**
 * Applies a change like {@link applyChange}, with the same steps in the same order, but
 * waits for the disk without blocking the event loop.
 * @throws CodedError `CRED_SUPERSEDED`, `CRED_FILE_IO`
 */
export function applyInGroup(
  parts: ApplyParts,
  change: TokenChange,
  group: SyncGroup,
): Promise<FileIdentity | undefined> {
  return runInGroup(stepsOf(parts, change), group);
}

function* stepsOf(parts: ApplyParts, change: TokenChange): Steps<FileIdentity | undefined> {
  const progress: Progress = { done: 0, from: change.from, unsynced: change.unsynced };
  const work: Work = { ...parts, change, directory: '', progress };
  try {
    const directory = openUserDirectory(parts.root, change.user);
    work.directory = directory.path;
    work.isMoved = () => !isInPlace(parts.root, change.user, directory);
    try {
      yield* writeWithReserve(work);
    } finally {
      if (work.toSync !== undefined) closeSync(work.toSync);
      directory.close();
    }
  } catch (error) {
    throw error instanceof CodedError ? error : ioError(work, error);
  }
  return work.progress.from;
}

/** If the disk is full, the reserved space is released for a rotated refresh token. */
function* writeWithReserve(work: Work): Steps<void> {
  try {
    yield* writePending(work);
  } catch (error) {
    const isFull = FULL.has(systemCode(error) ?? '');
    const pending = work.change.writes.slice(work.progress.done);
    const isTopPending = pending.some(({ kind, text }) => kind === 'top' && text !== undefined);
    if (!isFull || !isTopPending || work.reserve?.release() !== true) throw error;
    yield* writePending(work);
  }
}

/** Out of space, and over quota. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** A change in progress. */
interface Work extends ApplyParts {
  readonly change: TokenChange;
  /** The user's directory, open until the change ends. */
  directory: string;
  isMoved?: () => boolean;
  /** True after a wait for the disk: the directory may have been moved meanwhile. */
  hasWaited?: boolean;
  /** The same directory, open for fsync once it was needed. */
  toSync?: number;
  progress: Progress;
  /** The `.use` written by this change. */
  use?: FileIdentity | undefined;
}

/**
 * A write and its staged file, if any; `identity` is also the file's identity after the
 * rename.
 */
interface Staged {
  readonly write: TokenWrite;
  readonly file?: OpenStagedFile | undefined;
  identity?: FileIdentity | undefined;
}

/**
 * Stages the remaining writes, then makes them visible in order. Leaves no temporary
 * file.
 */
function* writePending(work: Work): Steps<void> {
  const staged: Staged[] = [];
  try {
    // Also checked before staging: files left by a crash must not outlive the `.top` from
    // which they were made.
    refuseOtherTop(work);
    if (work.progress.unsynced) yield* syncDirectory(work);
    const useBefore = identityAt(work, 'use');
    const refused = yield* stageAll(work, staged);
    for (const each of refused ? upToTop(staged) : staged) {
      refuseOtherTop(work);
      const replacesUse = each.write.kind === 'use' || each.write.kind === 'issued';
      if (replacesUse && each.file) refuseOtherUse(work, useBefore);
      commit(work, each);
      if (mustLast(each.write)) yield* syncDirectory(work);
      if (each.write.kind === 'top' && each.file) noteOtherUse(work, useBefore);
    }
    if (refused) throw refused.error;
    if (work.use) refuseOtherTop(work);
  } catch (error) {
    discardAll(staged);
    throw error;
  }
}

function commit(work: Work, { write, file, identity }: Staged): void {
  const { change, progress } = work;
  if (file) file.commit();
  else removeIfThere(pathOf(work, write.kind));
  work.progress = {
    done: progress.done + 1,
    from: write.kind === 'top' ? identity : progress.from,
    unsynced: mustLast(write) ? true : progress.unsynced,
  };
  if (write.kind === 'use') work.use = identity;
  if (work.use) work.origins.note(change, { use: work.use, top: work.progress.from, fits: true });
}

/**
 * `.use` is the last file. Its contents are durable; if a power failure undoes its
 * rename, the old `.use` is older than `.top`, and the token is renewed at once.
 */
const mustLast = ({ kind, text, durable }: TokenWrite): boolean =>
  durable && !(kind === 'use' && text !== undefined);

function* syncDirectory(work: Work): Steps<void> {
  work.toSync ??= openForSync(work.directory);
  const [error] = yield { kind: 'directory', descriptors: [work.toSync] };
  work.hasWaited = true;
  if (error !== undefined) throw error;
  work.progress = { ...work.progress, unsynced: undefined };
}

/**
 * Stages the writes in order into `staged` until the disk rejects one; returns that
 * error. The staged files are durable.
 */
function* stageAll(work: Work, staged: Staged[]): Steps<{ readonly error: unknown } | undefined> {
  let refused: { readonly error: unknown } | undefined;
  try {
    for (const write of work.change.writes.slice(work.progress.done))
      staged.push({ write, file: stage(work, write) });
  } catch (error) {
    refused = { error };
  }
  const descriptors = staged.flatMap(({ write, file }) =>
    file && write.durable ? file.descriptor : [],
  );
  work.hasWaited ||= descriptors.length > 0;
  const errors = descriptors.length === 0 ? [] : yield { kind: 'file', descriptors };
  let first: { readonly at: number; readonly error: unknown } | undefined;
  for (const [at, each] of staged.entries()) {
    const { file } = each;
    if (!file) continue;
    const error = finish(each, errors[descriptors.indexOf(file.descriptor)]);
    if (error !== undefined) first ??= { at, error };
  }
  if (!first) return refused;
  discardAll(staged.splice(first.at));
  return { error: first.error };
}

/** Closes a staged file and notes its identity; returns its first error. */
function finish(staged: Staged, error: unknown): unknown {
  const { write, file } = staged;
  if (!file) return error;
  try {
    if (write.durable) file.close();
    staged.identity = identityFromStat(lstatSync(file.temporaryPath));
    return error;
  } catch (failure) {
    return error ?? failure;
  }
}

/**
 * A rotated refresh token has no other copy: if its file fits on the disk it is written,
 * even if the following files do not fit.
 */
function upToTop(staged: readonly Staged[]): readonly Staged[] {
  const last = staged.findLastIndex(({ write, file }) => write.kind === 'top' && file);
  return staged.slice(0, last + 1);
}

function stage(work: Work, { kind, text, durable }: TokenWrite): OpenStagedFile | undefined {
  if (text === undefined) return undefined;
  const mode = STATE_KINDS.has(kind) ? STATE_MODE : TOKEN_MODE;
  const file = openStaged(pathOf(work, kind), text, { mode, durable, locked: work.locked });
  if (durable) return file;
  try {
    file.close();
    return file;
  } catch (error) {
    discardAll([{ file }]);
    throw error;
  }
}

/** Tries all files. Ignores errors of the removal, to report the original error. */
function discardAll(staged: readonly Pick<Staged, 'file'>[]): void {
  for (const { file } of staged) {
    try {
      file?.discard();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }
}

const pathOf = ({ directory, change }: Work, kind: TokenWrite['kind']): string =>
  join(directory, tokenFileName(change.stem, kind));

function identityAt(work: Work, kind: TokenWrite['kind']): FileIdentity | undefined {
  const stats = lstatSync(pathOf(work, kind), { throwIfNoEntry: false });
  return stats && identityFromStat(stats);
}

/**
 * No system call closes the gap between this check and the rename: CredD replaces `.top`
 * without a lock.
 */
function refuseOtherTop(work: Work): void {
  if (work.hasWaited === true && work.isMoved?.() === true)
    throw superseded(work, 'its directory was moved or replaced during the renewal');
  work.hasWaited = false;
  const top = identityAt(work, 'top');
  if (sameIdentity(top, work.progress.from)) return;
  if (work.use) yieldTo(top, work, work.use);
  throw superseded(
    work,
    top
      ? 'a newer .top was stored during the renewal and is kept'
      : 'its .top was removed during the renewal',
  );
}

/**
 * Seconds by which `.use` is made older than `.top`; some file systems store whole
 * seconds only.
 */
const OLDER = 1;

/**
 * Our `.use` may have replaced that of a login that came between the last check and the
 * rename. Then ours must not be newer than the login's `.top`, so that the next pass
 * renews at once, also in another process. If `.top` was removed, `.use` is removed, too.
 */
function yieldTo(top: FileIdentity | undefined, work: Work, ours: FileIdentity): void {
  if (!sameIdentity(identityAt(work, 'use'), ours)) return;
  const path = pathOf(work, 'use');
  if (top) lutimesSync(path, ours.mtime, Math.min(ours.mtime, top.mtime - OLDER));
  else removeIfThere(path);
}

/**
 * The portal replaces `.use` just before `.top`: the `.use` of the old grant must not
 * overwrite the login's.
 */
function refuseOtherUse(work: Work, before: FileIdentity | undefined): void {
  if (noteOtherUse(work, before))
    throw superseded(work, 'another .use was stored during the renewal and is kept');
}

/**
 * True if another `.use` was stored. If its login ends there, or has lost its `.top` to
 * ours, the two files do not belong together.
 */
function noteOtherUse(work: Work, before: FileIdentity | undefined): boolean {
  const use = identityAt(work, 'use');
  if (sameIdentity(use, before)) return false;
  if (use) work.origins.note(work.change, { use, top: work.progress.from, fits: false });
  return true;
}

function superseded({ change, progress }: Work, what: string, cause?: unknown): CodedError {
  const token = tokenId(change);
  const written = progress.done === 0 ? 'nothing was written' : 'nothing more was written';
  return new CodedError('CRED_SUPERSEDED', `${token}: ${what}; ${written}`, { token }, cause);
}

/**
 * True for the error codes of a directory that was removed or replaced by another file.
 */
export function isSwept(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function ioError(work: Work, error: unknown): CodedError {
  const { change, progress } = work;
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (isSwept(code)) return superseded(work, 'its directory was swept during the renewal', error);
  const token = tokenId(change);
  const { done } = progress;
  const name = ({ kind }: TokenWrite): string => tokenFileName(change.stem, kind);
  const written = change.writes.slice(0, done).map(name).join(', ');
  const pending = change.writes.slice(done).map(name).join(', ');
  const what =
    done === 0
      ? `failed to write ${pending} (${code}); the old files are kept`
      : `${written} was written, then the disk failed (${code})${pending === '' ? '' : `; unchanged: ${pending}`}`;
  return new CodedError(
    'CRED_FILE_IO',
    `${token}: ${what}`,
    { token, system: code, ...progressFields(progress) },
    error,
  );
}
