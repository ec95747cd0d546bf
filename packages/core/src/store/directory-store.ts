// The real credential directory: scans, reads and changes that a crash, a sweep or a new login cannot turn into a lost token.
import { lstatSync, renameSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stageFile, syncDirectory, type StagedFile } from '../base/atomic-write.ts';
import { CodedError, systemCode } from '../base/errors.ts';
import { parseMeta, type Parsed } from '../credential/contents.ts';
import { tokenFileName } from '../credential/layout.ts';
import { sameIdentity, tokenId, type FileIdentity } from '../credential/snapshot.ts';
import { emptyScanMemory, scanDirectory } from './directory-scan.ts';
import { identityFromStat, readCredentialFile, type FileReading } from './read-file.ts';
import { progressFields, type Progress } from './rest.ts';
import type { CredentialStore, TokenChange, TokenFiles, TokenWrite } from './store.ts';

/** Mode bits of the credential files: CredD and the shadow refuse any bit for group or others. */
const TOKEN_MODE = 0o400;
const STATE_MODE = 0o600;

/**
 * Opens the credential directory `root`. `defaultLifetime` (seconds) is that of tokens which name none; `locked` says that this process
 * holds the lock of the directory for as long as it uses the store (`lockDirectory`).
 */
export function openCredentialDirectory(
  root: string,
  options: { readonly defaultLifetime: number; readonly locked?: boolean },
): CredentialStore {
  const memory = emptyScanMemory();
  return {
    scan: (now, habits) => scanDirectory(root, memory, now, { ...options, isAlive }, habits),
    read: (user, stem) => readToken(join(root, user), stem),
    apply: (change) => applyChange(root, change, options.locked === true),
    settle: (path, target) => settleFile(join(root, path), target),
  };
}

/** True for a living process other than this one: what carries our own number from before was left by a dead one. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

function readToken(directory: string, stem: string): TokenFiles {
  const top = readCredentialFile(join(directory, tokenFileName(stem, 'top')));
  const meta = readCredentialFile(join(directory, tokenFileName(stem, 'meta')));
  const metaText = textOf(meta);
  return {
    top: textOf(top),
    topIdentity: top.kind === 'missing' ? undefined : top.identity,
    meta: metaText.ok ? parseMeta(metaText.value) : metaText,
  };
}

function textOf(reading: FileReading): Parsed<string> {
  if (reading.kind === 'text') return { ok: true, value: reading.text };
  return { ok: false, reason: reading.kind === 'missing' ? 'is missing' : reading.reason };
}

interface Staged {
  readonly write: TokenWrite;
  readonly file: StagedFile | undefined;
}

function applyChange(root: string, change: TokenChange, locked: boolean): void {
  const directory = join(root, change.user);
  const staged: Staged[] = [];
  let progress: Progress = { done: 0, from: change.from };
  try {
    // Looked at before staging too: what a crash leaves behind must not outlive the `.top` that it came from.
    refuseNewerTop(directory, change);
    const refused = stageAll(directory, change, locked, staged);
    refuseNewerTop(directory, change);
    for (const { write, file } of refused ? upToTop(staged) : staged) {
      const from = write.kind === 'top' ? identityOfStaged(file) : progress.from;
      if (file) file.commit();
      else removeIfThere(join(directory, tokenFileName(change.stem, write.kind)));
      progress = { done: progress.done + 1, from };
      if (write.durable) syncDirectory(directory);
    }
    if (refused) throw refused.error;
  } catch (error) {
    discardAll(staged);
    throw error instanceof CodedError ? error : ioError(change, progress, error);
  }
}

/** Stages the writes in order into `staged` until the disk refuses one; says what it refused with. */
function stageAll(
  directory: string,
  { stem, writes }: TokenChange,
  locked: boolean,
  staged: Staged[],
): { readonly error: unknown } | undefined {
  try {
    for (const write of writes) staged.push({ write, file: stage(directory, stem, write, locked) });
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** A rotated refresh token exists nowhere else: where it fits the disk it goes there, also when what comes after it does not. */
function upToTop(staged: readonly Staged[]): readonly Staged[] {
  const last = staged.findLastIndex(({ write, file }) => write.kind === 'top' && write.durable && file);
  return staged.slice(0, last + 1);
}

function identityOfStaged(file: StagedFile | undefined): FileIdentity | undefined {
  return file && identityFromStat(lstatSync(file.temporaryPath));
}

function stage(
  directory: string,
  stem: string,
  { kind, text, durable }: TokenWrite,
  locked: boolean,
): StagedFile | undefined {
  if (text === undefined) return undefined;
  const mode = kind === 'renewal' ? STATE_MODE : TOKEN_MODE;
  return stageFile(join(directory, tokenFileName(stem, kind)), text, { mode, durable, locked });
}

/** Every file is tried, and the failure that led here is the one to tell of. */
function discardAll(staged: readonly Staged[]): void {
  for (const { file } of staged) {
    try {
      file?.discard();
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }
}

/** Between this look and the rename lies a moment that no file system call closes; CredD replaces `.top` without a lock. */
function refuseNewerTop(directory: string, change: TokenChange): void {
  const stats = lstatSync(join(directory, tokenFileName(change.stem, 'top')), { throwIfNoEntry: false });
  if (sameIdentity(stats && identityFromStat(stats), change.from)) return;
  const what = stats
    ? 'a newer .top arrived during the renewal and stays'
    : 'its .top was removed during the renewal';
  throw new CodedError('CRED_SUPERSEDED', `${tokenId(change)}: ${what}; nothing was written`, {
    token: tokenId(change),
  });
}

function ioError(change: TokenChange, progress: Progress, error: unknown): CodedError {
  const code = systemCode(error);
  if (code === undefined) throw error;
  const token = tokenId(change);
  if (code === 'ENOENT') {
    return new CodedError(
      'CRED_SUPERSEDED',
      `${token}: its directory was swept during the renewal; nothing was written`,
      { token },
      error,
    );
  }
  const { done } = progress;
  const name = ({ kind }: TokenWrite): string => tokenFileName(change.stem, kind);
  const written = change.writes.slice(0, done).map(name).join(', ');
  const rest = change.writes.slice(done).map(name).join(', ');
  const what =
    done === 0
      ? `cannot write ${rest} (${code}); the old files stay`
      : `${written} was written, but then the disk failed (${code})${rest === '' ? '' : `: ${rest} stays as it was`}`;
  return new CodedError(
    'CRED_FILE_IO',
    `${token}: ${what}`,
    { token, system: code, ...progressFields(progress) },
    error,
  );
}

function settleFile(path: string, target: string | undefined): void {
  try {
    if (target === undefined) unlinkSync(path);
    else renameSync(path, join(dirname(path), target));
    if (target !== undefined) syncDirectory(dirname(path));
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT') return;
    throw new CodedError('CRED_FILE_IO', `cannot settle ${path} (${code})`, { path, system: code }, error);
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
