// A scan of the credential directory: names, stats, and a digest of each file that
// changed since the last scan.
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { createYielder } from '../base/time/yielder.ts';
import { CodedError, isCoded, messageOf, systemCode } from '../base/errors/errors.ts';
import { openDirectory, openSubdirectory } from '../base/files/safe-directory.ts';
import { KEY_FILE_NAME } from '../credential/name.ts';
import { isCredName } from '../credential/name.ts';
import {
  sameIdentity,
  type FileIdentity,
  type Instant,
  type TokenSnapshot,
} from '../credential/snapshot.ts';
import { linkText, namesIn } from './directory-names.ts';
import { identityFromStat, statIfThere } from './read-file.ts';
import type { LooseFile, Scan, ScanHabits, TemporaryFile } from './store.ts';
import {
  FEW,
  scanUserDirectory,
  temporaryFile,
  type FileMemory,
  type ScanOptions,
  type UserFound,
} from './user-scan.ts';

/** The state of one user's directory, kept for the next scan. */
interface UserMemory {
  /**
   * The directory's version at that scan; `undefined` if a later change could have the
   * same version.
   */
  readonly identity: FileIdentity | undefined;
  readonly files: FileMemory;
  readonly tokens: readonly TokenSnapshot[];
  /** Files read by a later scan that was aborted. */
  readonly unfinished?: FileMemory;
}

/**
 * The state kept between scans: each user's directory; the time of the last full scan
 * (`steady` seconds); and the first directory that an aborted scan skipped, where the
 * next one starts. `waiting` are directories that were listed but never scanned. `listed`
 * is true once `root` has been listed completely. `began` is the time of the first scan
 * (`steady` seconds).
 */
export interface ScanMemory {
  users: Map<string, UserMemory>;
  lastFull: number;
  resume: string | undefined;
  waiting: ReadonlySet<string>;
  listed: boolean;
  began: number | undefined;
}

/** The state before the first scan. */
export function emptyScanMemory(): ScanMemory {
  return {
    users: new Map(),
    lastFull: Number.NEGATIVE_INFINITY,
    resume: undefined,
    waiting: new Set(),
    listed: false,
    began: undefined,
  };
}

/**
 * Seconds between two full scans. Between them, unchanged directories are not opened:
 * credential files are replaced by rename, which changes the directory's modification
 * time. Files edited in place are noticed at the next full scan.
 */
const FULL_SCAN_INTERVAL = 55;

/** The maximum seconds between two full scans, even for quick scans. */
const MAX_FULL_SCAN_INTERVAL = 300;

/**
 * Seconds. A directory that changed more recently may change again within the same tick
 * of the file system's clock.
 */
const CLOCK_GRAIN = 2;

/** The state of one scan: its options and its results so far. */
interface Progress {
  readonly root: string;
  /** A path of the root directory, which is open during the scan. */
  readonly here: string;
  readonly memory: ScanMemory;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly yieldIfDue: () => Promise<void> | undefined;
  readonly interrupted: () => boolean;
  readonly stopped: () => boolean;
  readonly hurry: () => boolean;
  readonly found: (tokens: readonly TokenSnapshot[]) => void;
  /** All files are checked, also in unchanged directories. */
  full: boolean;
  readonly users: Map<string, UserMemory>;
  readonly waiting: Set<string>;
  resume: string | undefined;
  partial: boolean;
  readonly tokens: TokenSnapshot[];
  readonly keyFiles: LooseFile[];
  readonly temporaries: TemporaryFile[];
  readonly problems: string[];
}

/**
 * Scans `root`. Unchanged parts come from `memory`, which is then updated.
 * @throws CodedError `CRED_DIR_INVALID` when `root` itself cannot be listed
 */
export async function scanDirectory(
  root: string,
  memory: ScanMemory,
  now: Instant,
  options: ScanOptions,
  hooks: ScanHabits = {},
): Promise<Scan> {
  const opened = listing(root, () => openDirectory(root));
  try {
    return await scanOpened(root, opened.path, memory, now, options, hooks);
  } finally {
    opened.close();
  }
}

async function scanOpened(
  root: string,
  here: string,
  memory: ScanMemory,
  now: Instant,
  options: ScanOptions,
  hooks: ScanHabits,
): Promise<Scan> {
  memory.began ??= now.steady;
  const sinceFull = now.steady - memory.lastFull;
  const mayPostpone = now.steady - Math.max(memory.lastFull, memory.began) < MAX_FULL_SCAN_INTERVAL;
  const stopped = (): boolean => hooks.stopped?.() === true;
  const progress: Progress = {
    root,
    here,
    memory,
    now,
    options,
    stopped,
    yieldIfDue: createYielder(),
    interrupted: () => stopped() || (mayPostpone && hooks.interrupted?.() === true),
    hurry: () => mayPostpone && hooks.hurry?.() === true,
    found: hooks.found ?? (() => undefined),
    full: sinceFull >= FULL_SCAN_INTERVAL,
    users: new Map(),
    waiting: new Set(),
    resume: undefined,
    partial: false,
    tokens: [],
    keyFiles: [],
    temporaries: [],
    problems: [],
  };
  const listed = await scanRoot(progress);
  if (listed) for (const name of scanOrder(listed, memory)) await scanUserInTurn(progress, name);
  else keepAll(progress);
  const { users, waiting, resume, full, partial, tokens, keyFiles, temporaries, problems } =
    progress;
  memory.users = users;
  memory.waiting = waiting;
  memory.resume = resume;
  if (full && !partial) memory.lastFull = now.steady;
  return { tokens, keyFiles, temporaries, problems, partial: partial ? true : undefined };
}

/**
 * Scans `root` without the users' directories and returns their names; `undefined` if
 * aborted. A new directory is scanned as soon as its name is read, because its user may
 * be waiting. At the first scan all directories are new, and none is preferred.
 */
async function scanRoot(progress: Progress): Promise<readonly string[] | undefined> {
  const { root, here, memory, options, keyFiles, temporaries, problems, yieldIfDue, interrupted } =
    progress;
  const directories: string[] = [];
  let looked = 0;
  for (const slice of slicesOf(root, here)) {
    for (const entry of slice) {
      looked += 1;
      if (entry.isDirectory()) {
        if (!isCredName(entry.name)) continue;
        const isNew =
          memory.listed && !memory.users.has(entry.name) && !memory.waiting.has(entry.name);
        if (isNew) await scanUserInTurn(progress, entry.name, true);
        else directories.push(entry.name);
      } else if (entry.isFile() && KEY_FILE_NAME.test(entry.name)) {
        const stats = statIfThere(join(here, entry.name));
        if (stats) keyFiles.push({ path: entry.name, mtime: stats.mtimeMs / 1000 });
      } else if (entry.isSymbolicLink() && memory.users.has(entry.name)) {
        problems.push(linkText(root, entry.name));
      } else {
        const temporary = temporaryFile({ directory: here, user: '', options }, entry);
        if (temporary) temporaries.push(temporary);
      }
      const pause = yieldIfDue();
      if (!pause) continue;
      await pause;
      if (looked > FEW && interrupted()) return undefined;
    }
  }
  memory.listed = true;
  return directories;
}

/**
 * After an aborted listing: keeps the known state of directories; the next scan finds the
 * others.
 */
function keepAll(progress: Progress): void {
  const { memory, users } = progress;
  for (const [name, known] of memory.users) if (!users.has(name)) postpone(progress, name, known);
  for (const name of memory.waiting) if (!users.has(name)) postpone(progress, name, undefined);
  progress.partial = true;
  progress.resume = memory.resume;
}

/** Postpones a user's directory to the next scan and keeps its known state. */
function postpone(progress: Progress, name: string, known: UserMemory | undefined): void {
  progress.partial = true;
  progress.full = false;
  progress.resume ??= name;
  if (!known) return void progress.waiting.add(name);
  progress.users.set(name, known);
  for (const token of known.tokens) progress.tokens.push(token);
}

function* slicesOf(root: string, here: string): Generator<readonly Dirent[]> {
  const slices = namesIn(here, 0);
  try {
    for (;;) {
      const slice = listing(root, () => slices.next());
      if (slice.done === true) return;
      yield slice.value;
    }
  } finally {
    slices.return(undefined);
  }
}

function listing<T>(root: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined && !isCoded(error)) throw error;
    const text = `failed to list the credential directory ${root} (${code ?? messageOf(error)})`;
    throw new CodedError('CRED_DIR_INVALID', text, { path: root, system: code }, error);
  }
}

/**
 * Scans one user's directory. An interruption postpones it to the next scan, unless it is
 * new.
 */
async function scanUserInTurn(progress: Progress, name: string, isNew = false): Promise<void> {
  const { memory, users, tokens, yieldIfDue } = progress;
  const known = memory.users.get(name);
  if (isNew ? progress.stopped() : progress.interrupted()) return postpone(progress, name, known);
  if (progress.hurry()) progress.full = false;
  const user = await scanUser(progress, name, known);
  if (user === undefined) return;
  if ('aborted' in user) return postpone(progress, name, user.known);
  users.set(name, user);
  for (const token of user.tokens) tokens.push(token);
  await yieldIfDue();
}

/**
 * The order of known directories: starts where the last scan was aborted, so that
 * repeated interruptions starve no directory.
 */
function scanOrder(names: readonly string[], { resume }: ScanMemory): readonly string[] {
  const first = resume === undefined ? 0 : Math.max(0, names.indexOf(resume));
  return first === 0 ? names : [...names.slice(first), ...names.slice(0, first)];
}

/** An aborted scan of a directory, with its known state. */
interface AbortedUser {
  readonly aborted: true;
  readonly known: UserMemory;
}

/** A directory that vanishes during the scan was swept, which is not an error. */
async function scanUser(
  progress: Progress,
  user: string,
  known: UserMemory | undefined,
): Promise<UserMemory | AbortedUser | undefined> {
  const { root, here, now, problems, temporaries, options, yieldIfDue, interrupted, found } =
    progress;
  const stats = statIfThere(join(here, user));
  if (!stats) return undefined;
  const identity = identityFromStat(stats);
  if (!progress.full && known?.identity && sameIdentity(known.identity, identity)) return known;
  // Only the needed fields: an object with the whole progress made each check of a file
  // slower.
  const scan = {
    user,
    now,
    options,
    yieldIfDue,
    interrupted,
    found,
    known: (name: string) => known?.files.get(name) ?? known?.unfinished?.get(name),
  };
  let scanned: UserFound;
  try {
    const opened = openSubdirectory(here, user);
    const directory = opened.path;
    try {
      scanned = await scanUserDirectory({ ...scan, directory }, namesIn(directory, stats.size));
    } finally {
      opened.close();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOTDIR' && statIfThere(join(here, user))?.isSymbolicLink() === true) {
      problems.push(linkText(root, user));
    } else if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      problems.push(`${join(root, user)} cannot be read (${code}); its tokens are not renewed`);
    }
    return undefined;
  }
  const { files, tokens } = scanned;
  if (scanned.aborted) {
    const before = known ?? { files: new Map(), tokens: [] };
    return { aborted: true, known: { ...before, identity: undefined, unfinished: files } };
  }
  for (const temporary of scanned.temporaries) temporaries.push(temporary);
  // A leftover is reported until it is settled, so its directory is opened each time.
  const certain = identity.mtime < now.wall - CLOCK_GRAIN && scanned.temporaries.length === 0;
  return { identity: certain ? identity : undefined, files, tokens };
}
