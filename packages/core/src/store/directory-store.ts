// The real credential directory. A crash, a sweep or a new login during a change does not
// lose a token. What a lazy scan has left unread of single tokens is read here, and
// remembered for the next scans.
import { CodedError, isCoded, messageOf, systemCode } from '../base/errors/errors.ts';
import { syncDirectory } from '../base/files/atomic-write.ts';
import {
  type OpenDirectory,
  openDirectory,
  openSubdirectory,
} from '../base/files/safe-directory.ts';
import { isAliveElsewhere } from '../base/process/process.ts';
import { type Parsed, parseMeta } from '../credential/file-contents.ts';
import { tokenFileName } from '../credential/file-names.ts';
import { type Instant, tokenId } from '../credential/snapshot.ts';
import { type ApplyParts, applyChange, applyInGroup, isSwept } from './apply-change.ts';
import { inUserDirectory } from './directory-names.ts';
import { type ScanMemory, emptyScanMemory, scanDirectory } from './directory-scan.ts';
import type { DirectoryLock } from './lock.ts';
import { createOrigins } from './progress.ts';
import { type FileReading, readCredentialFile } from './read-file.ts';
import type { Reserve } from './reserve.ts';
import type { ScannedToken } from './scanned-token.ts';
import type { CredentialStore, TokenChange, TokenFiles, UnreadFiles } from './store.ts';
import { createSyncGroup } from './sync-group.ts';
import { lookAtToken, withoutMeta } from './token-scan.ts';
import type { ScanOptions } from './user-scan.ts';
import { renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The directory, what its last scan knows, and the options of scans. */
interface UnreadOptions {
  readonly root: string;
  readonly memory: ScanMemory;
  readonly options: ScanOptions;
  readonly now: Instant;
}

/** Returns the reader. The directory, and that of the last user, are opened when needed. */
export function unreadFiles({ root, memory, options, now }: UnreadOptions): UnreadFiles {
  let opened: OpenDirectory | undefined;
  let last: { readonly user: string; readonly directory: OpenDirectory } | undefined;
  /** @throws the system's error */
  const directoryOf = (user: string): OpenDirectory => {
    if (last?.user === user) return last.directory;
    last?.directory.close();
    last = undefined;
    opened ??= openDirectory(root);
    last = { user, directory: openSubdirectory(opened.path, user) };
    return last.directory;
  };
  const look = (user: string, before: ScannedToken): ScannedToken | undefined => {
    const { defaultLifetime, isOvertaken } = options;
    const scan = { user, now, lazy: false, defaultLifetime };
    const asked = isOvertaken ? { ...scan, isOvertaken } : scan;
    try {
      const prefix = `${directoryOf(user).path}/`;
      return lookAtToken({ ...asked, prefix }, before.stem, before.kinds, before);
    } catch (error) {
      if (systemCode(error) === undefined && !isCoded(error)) throw error;
      return undefined;
    }
  };
  let next = 0;
  return {
    complete: ({ user, stem }, renewal) => {
      const known = memory.users.get(user);
      // They are asked for in their order: a user may have a hundred thousand.
      const isNext = known?.tokens[next]?.stem === stem;
      const index = isNext ? next : (known?.tokens.findIndex((one) => one.stem === stem) ?? -1);
      next = index + 1;
      const before = known?.tokens[index];
      if (!known || !before) return undefined;
      const token = look(user, before);
      if (token) known.tokens[index] = renewal ? token : plain(token);
      return token;
    },
    close: () => {
      last?.directory.close();
      opened?.close();
    },
  };
}

/** A token that can be renewed as far as its files say needs no memory for its `.meta`. */
function plain(token: ScannedToken): ScannedToken {
  const { top, meta, renewal } = token;
  const isGood =
    top.kind === 'valid' &&
    top.value.refreshToken === 'present' &&
    meta.kind === 'valid' &&
    meta.value.useRefreshToken &&
    renewal === undefined;
  return isGood ? withoutMeta(token) : token;
}

/** Options of {@link openCredentialDirectory}. */
export interface DirectoryOptions {
  readonly defaultLifetime: number | (() => number);
  readonly locked?: boolean;
  readonly lock?: Pick<DirectoryLock, 'state'>;
  readonly reserve?: Pick<Reserve, 'release'>;
}

/**
 * Opens the credential directory `root`. `defaultLifetime` (seconds) applies to tokens
 * without a lifetime; a function is called at each scan. `locked`: this process holds the
 * lock of the directory (`lockDirectory`) as long as it uses the store. If `lock` was
 * lost, leftovers of dead processes are not settled, and nothing is written to a
 * directory that replaced the locked one. `reserve` is released if the disk has no space
 * for a `.top`.
 * @example
 * ```ts
 * import { openCredentialDirectory, systemClock } from '@credmon/core';
 *
 * const root = '/var/lib/condor/oauth_credentials';
 * const store = openCredentialDirectory(root, { defaultLifetime: 1200 });
 * const now = { wall: systemClock.now(), steady: systemClock.steady() };
 * const { tokens } = await store.scan(now);
 * console.log(tokens.map(({ user, stem }) => `${user}/${stem}`).join(' '));
 * // prints alice/lost
 * ```
 */
export function openCredentialDirectory(root: string, options: DirectoryOptions): CredentialStore {
  const { defaultLifetime: lifetime } = options;
  const lifetimeNow = typeof lifetime === 'number' ? (): number => lifetime : lifetime;
  let memory = emptyScanMemory();
  let digestedWith = lifetimeNow();
  const origins = createOrigins();
  const scanOptions: ScanOptions = {
    ...options,
    get defaultLifetime() {
      return digestedWith;
    },
    isAlive: isAliveElsewhere,
    isOvertaken: (token) => origins.isOvertaken(token),
  };
  const group = createSyncGroup();
  let isFull = false;
  const reserve = options.reserve && {
    // Others may have met the full disk before the space was released: it is for them, too.
    release: () => {
      isFull = options.reserve?.release() === true || isFull;
      return isFull;
    },
  };
  /** @throws CodedError when the directory was replaced */
  const partsFor = (change: TokenChange): ApplyParts => {
    if (options.lock?.state() === 'directory-replaced') throw replaced(root, tokenId(change));
    return { root, locked: options.locked === true, origins, reserve };
  };
  return {
    scan: async (now, hooks) => {
      isFull = false;
      // Another default lifetime makes all known times wrong.
      if (digestedWith !== lifetimeNow())
        [memory, digestedWith] = [emptyScanMemory(), lifetimeNow()];
      const scan = await scanDirectory(root, memory, now, scanOptions, hooks);
      if (scan.partial !== true) await origins.forgetGone(scan.tokens);
      return scan;
    },
    unread: (now) => unreadFiles({ root, memory, options: scanOptions, now }),
    read: (user, stem) => readToken(root, user, stem),
    apply: (change) => void applyChange(partsFor(change), change),
    write: async (change) => {
      // The reserved space is enough for one change after the other: each gives back the
      // space of the files that it replaces.
      if (isFull) return applyChange(partsFor(change), change);
      return applyInGroup(partsFor(change), change, group);
    },
    settle: (path, target) => {
      if ((options.lock?.state() ?? 'held') === 'held') settleFile(root, path, target);
    },
  };
}

function replaced(root: string, token: string): CodedError {
  const text = `${token}: the credential directory ${root} was replaced during the renewal; nothing was written`;
  return new CodedError('CRED_SUPERSEDED', text, { token });
}

function readToken(root: string, user: string, stem: string): TokenFiles {
  try {
    return inUserDirectory(root, user, (directory) => readFiles(directory, stem));
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined && !(error instanceof CodedError)) throw error;
    const reason = isSwept(code) ? 'is missing' : `cannot be read (${code ?? messageOf(error)})`;
    return { top: { ok: false, reason }, topIdentity: undefined, meta: { ok: false, reason } };
  }
}

function readFiles(directory: string, stem: string): TokenFiles {
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

function settleFile(root: string, path: string, target: string | undefined): void {
  const user = dirname(path) === '.' ? '' : dirname(path);
  try {
    inUserDirectory(root, user, (directory) => settleIn(directory, basename(path), target));
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (isSwept(code)) return;
    const whole = join(root, path);
    throw new CodedError(
      'CRED_FILE_IO',
      `failed to remove or rename ${whole} (${code})`,
      { path: whole, system: code },
      error,
    );
  }
}

function settleIn(directory: string, name: string, target: string | undefined): void {
  const path = join(directory, name);
  if (target === undefined) return unlinkSync(path);
  renameSync(path, join(directory, target));
  syncDirectory(directory);
}
