// A scan of the credential directory: names, stats, and a digest of each file that
// changed since the last scan.
import { createYielder } from '../base/time/yielder.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { rememberPlace, type Inside } from '../base/files/held-directory.ts';
import type { OpenDirectory } from '../base/files/safe-directory.ts';
import { KEY_FILE_NAME, isCredName } from '../credential/file-names.ts';
import type { Instant } from '../credential/snapshot.ts';
import { linkText, openRoot, rootSlices } from './directory-names.ts';
import { statIfThere } from './read-file.ts';
import type { ScannedToken } from './scanned-token.ts';
import type { LooseFile, Scan, ScanHabits } from './store.ts';
import { FEW, shareStems, temporaryFile, type ScanOptions } from './user-scan.ts';
import {
  isAwaited,
  lacksUse,
  scanUser,
  type ScannedUser,
  type UserMemory,
  type UserTurn,
} from './user-turn.ts';

/**
 * The state kept between scans: each user's directory; the time of the last full scan
 * (`steady` seconds); and the first directory that an aborted scan skipped, where the
 * next one starts. `waiting` are directories that were listed but never scanned, `awaited`
 * those whose users may wait for a token: the next scan begins with them. `listed` is true
 * once `root` has been listed completely. `began` is the time of the first scan (`steady`
 * seconds).
 */
export interface ScanMemory {
  users: Map<string, UserMemory>;
  lastFull: number;
  resume: string | undefined;
  waiting: ReadonlySet<string>;
  awaited: ReadonlySet<string>;
  listed: boolean;
  began: number | undefined;
  /** The number of tokens in the last scan. */
  tokens: number;
  /** The names of tokens, one text for all equal ones. */
  readonly stems: Map<string, string>;
}

/** The state before the first scan. */
export function emptyScanMemory(): ScanMemory {
  return {
    users: new Map(),
    lastFull: Number.NEGATIVE_INFINITY,
    resume: undefined,
    waiting: new Set(),
    awaited: new Set(),
    listed: false,
    began: undefined,
    tokens: 0,
    stems: new Map(),
  };
}

/**
 * Seconds between two full scans. Between them, unchanged directories are not opened:
 * credential files are replaced by rename, which changes the directory's modification
 * time. Files edited in place are noticed at the next full scan.
 */
const FULL_SCAN_INTERVAL = 55;

/** Seconds between two full scans for each token, if there are many. */
const SECONDS_PER_TOKEN = 0.0024;
/** The maximum seconds between two full scans of many tokens. */
const LONGEST_FULL_SCAN_INTERVAL = 240;

/**
 * Returns the seconds between two full scans of this many tokens: a full scan of 100,000
 * takes about a second of processor time.
 */
export function fullScanInterval(tokens: number): number {
  const seconds = Math.max(FULL_SCAN_INTERVAL, tokens * SECONDS_PER_TOKEN);
  return Math.min(seconds, LONGEST_FULL_SCAN_INTERVAL);
}

/** The maximum seconds between two full scans, even for quick scans. */
const MAX_FULL_SCAN_INTERVAL = 300;

/** The state of one scan: its options and its results so far. */
interface Progress extends UserTurn {
  readonly memory: ScanMemory;
  readonly stopped: () => boolean;
  readonly hurry: () => boolean;
  /** Gives the tokens found so far to whoever asked for them. */
  readonly flush: () => void;
  readonly users: Map<string, UserMemory>;
  readonly waiting: Set<string>;
  readonly awaited: Set<string>;
  resume: string | undefined;
  partial: boolean;
  readonly tokens: ScannedToken[];
  readonly keyFiles: LooseFile[];
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
  const opened = openRoot(root);
  const place = rememberPlace();
  try {
    return await scanOpened(root, opened, place, memory, now, options, hooks);
  } finally {
    place.leave();
    place.close();
    opened.close();
  }
}

async function scanOpened(
  root: string,
  here: OpenDirectory,
  place: Inside,
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
    place,
    memory,
    now,
    options,
    lazy: hooks.lazy === true,
    stopped,
    yieldIfDue: createYielder(),
    interrupted: () => stopped() || (mayPostpone && hooks.interrupted?.() === true),
    hurry: () => mayPostpone && hooks.hurry?.() === true,
    ...reporting(place, hooks.found),
    shared: shareStems(memory.stems),
    full: sinceFull >= fullScanInterval(memory.tokens),
    users: new Map(),
    waiting: new Set(),
    awaited: new Set(),
    resume: undefined,
    partial: false,
    tokens: [],
    keyFiles: [],
    temporaries: [],
    problems: [],
  };
  const { only, first = [] } = hooks;
  if (only === undefined) await scanFirst(progress, [...first, ...memory.awaited]);
  const listed = only === undefined ? await scanRoot(progress) : [only].filter(isCredName);
  if (listed) {
    for (const name of scanOrder(listed, memory)) {
      const scanned = scanUserInTurn(progress, name);
      if (scanned) await scanned;
      const pause = progress.yieldIfDue();
      if (pause) await outside(progress, pause);
    }
  } else keepAll(progress);
  progress.flush();
  const {
    users,
    waiting,
    awaited,
    resume,
    full,
    partial,
    tokens,
    keyFiles,
    temporaries,
    problems,
  } = progress;
  memory.users = users;
  memory.waiting = waiting;
  memory.awaited = awaited;
  memory.resume = resume;
  memory.tokens = tokens.length;
  if (full && !partial) memory.lastFull = now.steady;
  return {
    tokens,
    keyFiles,
    temporaries,
    problems: [...new Set(problems)],
    partial: partial ? true : undefined,
  };
}

/** Waits while other code may run. */
function outside({ place, flush }: Progress, pause: Promise<void>): Promise<void> {
  flush();
  place.leave();
  return pause;
}

/** The most tokens that are kept back, in a few milliseconds of work. */
const MOST_PENDING = 1000;

/**
 * Returns what reports tokens. A job may be waiting for a token without `.use`: it is
 * reported at once, the others together.
 */
function reporting(place: Inside, found: ScanHabits['found']): Pick<Progress, 'found' | 'flush'> {
  if (!found) return { found: () => undefined, flush: () => undefined };
  let pending: ScannedToken[] = [];
  const flush = (): void => {
    if (pending.length === 0) return;
    place.leave();
    const tokens = pending;
    pending = [];
    found(tokens);
  };
  return {
    flush,
    found: (tokens) => {
      for (const token of tokens) pending.push(token);
      if (pending.length > MOST_PENDING || tokens.some(lacksUse)) flush();
    },
  };
}

/** The most directories that a scan begins with: with more of them, no one would be first. */
const MOST_FIRST = 100;

/** Scans the directories of users who may be waiting, before all others are listed. */
async function scanFirst(progress: Progress, names: readonly string[]): Promise<void> {
  for (const name of names.slice(0, MOST_FIRST)) {
    if (!isCredName(name) || progress.users.has(name)) continue;
    const scanned = scanUserInTurn(progress, name, true);
    if (scanned) await scanned;
  }
  progress.flush();
  // Their tokens are made before the directory is listed, which takes milliseconds.
  if (progress.awaited.size > 0) await outside(progress, nextTurn());
}

/**
 * Scans `root` without the users' directories and returns their names; `undefined` if
 * aborted. A new directory is scanned as soon as its name is read, because its user may
 * be waiting. At the first scan all directories are new, and none is preferred.
 */
async function scanRoot(progress: Progress): Promise<readonly string[] | undefined> {
  const { root, here, memory, options, keyFiles, temporaries, problems, yieldIfDue, interrupted } =
    progress;
  const prefix = `${here.path}/`;
  const directories: string[] = [];
  let looked = 0;
  for (const slice of rootSlices(root, here)) {
    for (const entry of slice) {
      looked += 1;
      const { name } = entry;
      if (entry.isDirectory()) {
        if (!isCredName(name) || progress.users.has(name)) continue;
        const isNew = memory.listed && !memory.users.has(name) && !memory.waiting.has(name);
        const scanned = isNew ? scanUserInTurn(progress, name, true) : void directories.push(name);
        if (scanned) await scanned;
      } else if (entry.isFile() && KEY_FILE_NAME.test(name)) {
        const stats = statIfThere(prefix + name);
        if (stats) keyFiles.push({ path: name, mtime: stats.mtimeMs / 1000 });
      } else if (entry.isSymbolicLink() && memory.users.has(name)) {
        problems.push(linkText(root, name));
      } else {
        const temporary = temporaryFile({ prefix, user: '', options }, name);
        if (temporary) temporaries.push(temporary);
      }
      const pause = yieldIfDue();
      if (!pause) continue;
      await outside(progress, pause);
      if (looked > FEW && interrupted()) return undefined;
    }
  }
  memory.listed = true;
  progress.flush();
  progress.place.leave();
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

/**
 * Scans one user's directory. An interruption postpones it to the next scan, unless it is
 * new. Returns a promise only for a large directory.
 */
function scanUserInTurn(
  progress: Progress,
  name: string,
  isNew = false,
): Promise<void> | undefined {
  const { memory } = progress;
  const known = memory.users.get(name);
  if (isNew ? progress.stopped() : progress.interrupted()) {
    postpone(progress, name, known);
    return undefined;
  }
  if (progress.hurry()) progress.full = false;
  const user = scanUser(progress, name, known);
  if (user instanceof Promise) return user.then((scanned) => keep(progress, name, scanned));
  keep(progress, name, user);
  return undefined;
}

function keep(progress: Progress, name: string, user: ScannedUser): void {
  if (user === undefined) return;
  if ('aborted' in user) return postpone(progress, name, user.known);
  progress.users.set(name, user);
  if (isAwaited(user)) progress.awaited.add(name);
  for (const token of user.tokens) progress.tokens.push(token);
}

/**
 * The order of known directories: starts where the last scan was aborted, so that
 * repeated interruptions starve no directory.
 */
function scanOrder(names: readonly string[], { resume }: ScanMemory): readonly string[] {
  const first = resume === undefined ? 0 : Math.max(0, names.indexOf(resume));
  return first === 0 ? names : [...names.slice(first), ...names.slice(0, first)];
}
