// One look over the credential directory: names, stats, and the digest of every file that
// changed since the last look.
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { createYielder } from '../base/time/yielder.ts';
import { CodedError, isCoded, messageOf, systemCode } from '../base/errors/errors.ts';
import { openDirectory, openSubdirectory } from '../base/files/safe-directory.ts';
import { KEY_FILE_NAME } from '../credential/layout.ts';
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

/** What a scan knows of one user's directory, kept for the next one. */
interface UserMemory {
  /**
   * The directory's version at that look; `undefined` when it was too young to be told
   * from a later one.
   */
  readonly identity: FileIdentity | undefined;
  readonly files: FileMemory;
  readonly tokens: readonly TokenSnapshot[];
  /** Files that a later look has read before it was interrupted. */
  readonly unfinished?: FileMemory;
}

/**
 * The memory of earlier scans: each user's directory, when every file was last looked at
 * (`steady` seconds), and the first directory that an interrupted scan passed over: the
 * next one begins there. `waiting` has the directories that were listed and never looked
 * at; `listed` is true once `root` has been listed to the end; `began` is when the first
 * scan did (`steady` seconds).
 */
export interface ScanMemory {
  users: Map<string, UserMemory>;
  lastFull: number;
  resume: string | undefined;
  waiting: ReadonlySet<string>;
  listed: boolean;
  began: number | undefined;
}

/** A memory of nothing. */
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
 * Credential files are replaced by rename, which changes their directory's modification
 * time: between two full looks, this many seconds apart, a directory that has not changed
 * is not opened. What is changed in place waits for the full look.
 */
const FULL_LOOK_INTERVAL = 55;

/** The longest that a full look may be put off by somebody's hurry, in seconds. */
const LONGEST_WITHOUT_FULL = 300;

/**
 * A directory that changed so recently (seconds) may change again within the same tick of
 * the file system's clock.
 */
const CLOCK_GRAIN = 2;

/** How one scan goes: what it may skip, and what it has found so far. */
interface Progress {
  readonly root: string;
  /** A path of the root, which is open while the scan lasts. */
  readonly here: string;
  readonly memory: ScanMemory;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly yieldIfDue: () => Promise<void> | undefined;
  readonly interrupted: () => boolean;
  readonly stopped: () => boolean;
  readonly hurry: () => boolean;
  readonly found: (tokens: readonly TokenSnapshot[]) => void;
  /** Every file is looked at, also in directories that have not changed. */
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
 * Scans `root`. What has not changed comes from `memory`, which then holds what stands
 * now.
 * @throws CodedError `CRED_DIR_INVALID` when `root` itself cannot be listed
 */
export async function scanDirectory(
  root: string,
  memory: ScanMemory,
  now: Instant,
  options: ScanOptions,
  habits: ScanHabits = {},
): Promise<Scan> {
  const opened = listing(root, () => openDirectory(root));
  try {
    return await scanOpened(root, opened.path, memory, now, options, habits);
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
  habits: ScanHabits,
): Promise<Scan> {
  memory.began ??= now.steady;
  const sinceFull = now.steady - memory.lastFull;
  const patient = now.steady - Math.max(memory.lastFull, memory.began) < LONGEST_WITHOUT_FULL;
  const stopped = (): boolean => habits.stopped?.() === true;
  const progress: Progress = {
    root,
    here,
    memory,
    now,
    options,
    stopped,
    yieldIfDue: createYielder(),
    interrupted: () => stopped() || (patient && habits.interrupted?.() === true),
    hurry: () => patient && habits.hurry?.() === true,
    found: habits.found ?? (() => undefined),
    full: sinceFull >= FULL_LOOK_INTERVAL,
    users: new Map(),
    waiting: new Set(),
    resume: undefined,
    partial: false,
    tokens: [],
    keyFiles: [],
    temporaries: [],
    problems: [],
  };
  const listed = await lookAtRoot(progress);
  if (listed) for (const name of inTurn(listed, memory)) await lookAtUser(progress, name);
  else keepAll(progress);
  const { users, waiting, resume, full, partial, tokens, keyFiles, temporaries, problems } =
    progress;
  memory.users = users;
  memory.waiting = waiting;
  memory.resume = resume;
  if (full && !partial) memory.lastFull = now.steady;
  return { tokens, keyFiles, temporaries, problems, ...(partial ? { partial: true } : {}) };
}

/**
 * Looks at everything in `root` but the users' directories, which it gives back by name;
 * nothing when it was interrupted. A new directory is one that somebody may be waiting
 * for: it is looked at as soon as its name is read. At the first scan all are new, and
 * none comes first.
 */
async function lookAtRoot(progress: Progress): Promise<readonly string[] | undefined> {
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
        if (isNew) await lookAtUser(progress, entry.name, true);
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
      const breath = yieldIfDue();
      if (!breath) continue;
      await breath;
      if (looked > FEW && interrupted()) return undefined;
    }
  }
  memory.listed = true;
  return directories;
}

/**
 * After a listing that was interrupted: what is known of directories is kept, and the
 * next scan sees the others.
 */
function keepAll(progress: Progress): void {
  const { memory, users } = progress;
  for (const [name, known] of memory.users) if (!users.has(name)) leave(progress, name, known);
  for (const name of memory.waiting) if (!users.has(name)) leave(progress, name, undefined);
  progress.partial = true;
  progress.resume = memory.resume;
}

/** Leaves a user's directory for the next scan, with what is known of it. */
function leave(progress: Progress, name: string, known: UserMemory | undefined): void {
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
    const text = `the credential directory ${root} cannot be listed (${code ?? messageOf(error)})`;
    throw new CodedError('CRED_DIR_INVALID', text, { path: root, system: code }, error);
  }
}

/**
 * Looks at one user's directory. An interruption leaves it for the next scan, unless it
 * is a new one.
 */
async function lookAtUser(progress: Progress, name: string, isNew = false): Promise<void> {
  const { memory, users, tokens, yieldIfDue } = progress;
  const known = memory.users.get(name);
  if (isNew ? progress.stopped() : progress.interrupted()) return leave(progress, name, known);
  if (progress.hurry()) progress.full = false;
  const user = await scanUser(progress, name, known);
  if (user === undefined) return;
  if ('cut' in user) return leave(progress, name, user.known);
  users.set(name, user);
  for (const token of user.tokens) tokens.push(token);
  await yieldIfDue();
}

/**
 * The order of directories that are not new: from where the last scan was interrupted, so
 * that calls without end keep none from its turn.
 */
function inTurn(names: readonly string[], { resume }: ScanMemory): readonly string[] {
  const first = resume === undefined ? 0 : Math.max(0, names.indexOf(resume));
  return first === 0 ? names : [...names.slice(first), ...names.slice(0, first)];
}

/**
 * A directory that was not looked at to the end, and what is known of it all the same.
 */
interface CutUser {
  readonly cut: true;
  readonly known: UserMemory;
}

/** A directory that goes away while we look is swept, not broken. */
async function scanUser(
  progress: Progress,
  user: string,
  known: UserMemory | undefined,
): Promise<UserMemory | CutUser | undefined> {
  const { root, here, now, problems, temporaries, options, yieldIfDue, interrupted, found } =
    progress;
  const stats = statIfThere(join(here, user));
  if (!stats) return undefined;
  const identity = identityFromStat(stats);
  if (!progress.full && known?.identity && sameIdentity(known.identity, identity)) return known;
  // Only what is needed: an object with all of the progress made every look at a file
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
  if (scanned.cut) {
    const before = known ?? { files: new Map(), tokens: [] };
    return { cut: true, known: { ...before, identity: undefined, unfinished: files } };
  }
  for (const temporary of scanned.temporaries) temporaries.push(temporary);
  // A leftover is reported until it is settled, so its directory is opened every time.
  const certain = identity.mtime < now.wall - CLOCK_GRAIN && scanned.temporaries.length === 0;
  return { identity: certain ? identity : undefined, files, tokens };
}
