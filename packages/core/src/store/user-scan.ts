// One user's directory: from its names to the snapshots of its tokens, reading only files
// that have changed.
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import type { Parsed } from '../credential/contents.ts';
import { digestMeta, digestTop, digestUse, parseRenewal } from '../credential/digest.ts';
import { classifyUserEntry, tokenFileName, type TokenFileKind } from '../credential/layout.ts';
import { isCredName } from '../credential/name.ts';
import {
  sameIdentity,
  type FileIdentity,
  type FileState,
  type Instant,
  type TokenSnapshot,
} from '../credential/snapshot.ts';
import { identityFromStat, readCredentialFile, statIfThere } from './read-file.ts';
import type { TemporaryFile } from './store.ts';
import type { TokenTimes } from '../credential/times.ts';

/**
 * A file's digest, the version that it was made from, and when that version was first
 * seen.
 */
interface Remembered {
  readonly identity: FileIdentity;
  readonly state: FileState<unknown>;
  readonly seen: Instant;
}

/** The files of one user's directory by name. */
export type FileMemory = Map<string, Remembered>;

/**
 * How a scan reads: the lifetime of tokens that name none (seconds), whether the scanner
 * holds the lock of the directory, whether a process still lives, and whether the `.use`
 * of a token is known to come from another `.top`.
 */
export interface ScanOptions {
  readonly defaultLifetime: number;
  readonly locked?: boolean;
  readonly isAlive: (pid: number) => boolean;
  readonly isOvertaken?: (token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>) => boolean;
}

/** Which directory, what is known of it from before, and when. */
interface UserScan {
  /** A path of the user's directory, which is open while the scan lasts. */
  readonly directory: string;
  readonly user: string;
  readonly known: (name: string) => Remembered | undefined;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly yieldIfDue: () => Promise<void> | undefined;
  /**
   * Asked after each yield to the event loop: true ends the scan of a directory of which
   * more than a few files have been looked at.
   */
  readonly interrupted: () => boolean;
  /**
   * Learns of tokens as soon as they are read, at the latest when the event loop runs
   * next.
   */
  readonly found: (tokens: readonly TokenSnapshot[]) => void;
}

/**
 * The tokens and leftovers of one user, and what to remember of the files. With `cut` the
 * scan was interrupted: only the files count.
 */
export interface UserFound {
  readonly tokens: readonly TokenSnapshot[];
  readonly temporaries: readonly TemporaryFile[];
  readonly files: FileMemory;
  readonly cut: boolean;
}

/**
 * A directory with no more entries than this is never left half looked at: its tokens
 * would wait for nothing.
 */
export const FEW = 256;

/**
 * Looks at every file that the slices of `names` list, and lets the event loop run
 * between tokens, never within one.
 */
export async function scanUserDirectory(
  scan: UserScan,
  names: Iterable<readonly Dirent[]>,
): Promise<UserFound> {
  const files: FileMemory = new Map();
  const cut = (): UserFound => ({ tokens: [], temporaries: [], files, cut: true });
  const listed = await listUser(scan, names);
  if (!listed) return cut();
  const temporaries: TemporaryFile[] = [];
  for (const [index, dirent] of listed.temporaries.entries()) {
    const temporary = temporaryFile(scan, dirent);
    if (temporary) temporaries.push(temporary);
    if (await isOver(scan, index)) return cut();
  }
  const tokens: TokenSnapshot[] = [];
  let told = 0;
  const tell = (): void => {
    if (told < tokens.length) scan.found(tokens.slice(told));
    told = tokens.length;
  };
  let looked = 0;
  for (const [stem, kinds] of listed.stems) {
    if (kinds.has('top') || kinds.has('use')) {
      const token = snapshotOf(scan, stem, kinds, files);
      if (token.top.kind !== 'missing' || token.use.kind !== 'missing') tokens.push(token);
    }
    looked += 1;
    const breath = scan.yieldIfDue();
    if (!breath) continue;
    tell();
    await breath;
    if (looked > FEW && scan.interrupted()) return cut();
  }
  tell();
  return { tokens, temporaries, files, cut: false };
}

/**
 * What a user's directory lists: the kinds of file of each token, and what may be a
 * temporary file.
 */
interface Listed {
  readonly stems: ReadonlyMap<string, ReadonlySet<TokenFileKind>>;
  readonly temporaries: readonly Dirent[];
}

/** Sorts the names of a user's directory; nothing when the scan was interrupted. */
async function listUser(
  scan: UserScan,
  names: Iterable<readonly Dirent[]>,
): Promise<Listed | undefined> {
  const stems = new Map<string, Set<TokenFileKind>>();
  const temporaries: Dirent[] = [];
  let looked = 0;
  let yielded = false;
  let torn = false;
  for (const slice of names) {
    torn ||= yielded;
    for (const dirent of slice) {
      const entry = classifyUserEntry(dirent.name);
      if (entry.kind === 'temporary') temporaries.push(dirent);
      else if (entry.kind !== 'other' && isCredName(entry.stem)) {
        const kinds = stems.get(entry.stem) ?? new Set();
        stems.set(entry.stem, kinds.add(entry.kind));
      }
    }
    looked += slice.length;
    const breath = scan.yieldIfDue();
    if (!breath) continue;
    await breath;
    yielded = true;
    if (looked > FEW && scan.interrupted()) return undefined;
  }
  // A file that was replaced by rename between two slices may be in neither: such a
  // token's files are all looked for.
  if (torn) for (const stem of stems.keys()) stems.set(stem, EVERY_KIND);
  return { stems, temporaries };
}

const EVERY_KIND: Set<TokenFileKind> = new Set(['top', 'use', 'meta', 'renewal']);

/**
 * Lets the event loop run when it is time to; true when the scan is to end then.
 * `looked`: how many entries have been looked at.
 */
async function isOver(scan: UserScan, looked: number): Promise<boolean> {
  const breath = scan.yieldIfDue();
  if (!breath) return false;
  await breath;
  return looked > FEW && scan.interrupted();
}

/**
 * What is known of a temporary file of ours; only a file, or a link of that name, can be
 * one.
 */
export function temporaryFile(
  { directory, user, options }: Pick<UserScan, 'directory' | 'user' | 'options'>,
  dirent: Dirent,
): TemporaryFile | undefined {
  const entry = classifyUserEntry(dirent.name);
  if (entry.kind !== 'temporary' || !(dirent.isFile() || dirent.isSymbolicLink())) return undefined;
  const path = join(user, dirent.name);
  const reading = readCredentialFile(join(directory, dirent.name));
  if (reading.kind === 'missing') return undefined;
  const top =
    reading.kind === 'text' && entry.target.endsWith('.top') ? digestTop(reading.text) : undefined;
  return {
    path,
    target: entry.target,
    mtime: reading.identity?.mtime ?? 0,
    // A process number may have been given again; the lock cannot have two holders.
    orphaned: (entry.locked && options.locked === true) || !options.isAlive(entry.pid),
    refreshToken: top?.ok === true && top.value.refreshToken === 'present',
  };
}

function snapshotOf(
  scan: UserScan,
  stem: string,
  kinds: ReadonlySet<TokenFileKind>,
  files: FileMemory,
): TokenSnapshot {
  const look = <T>(
    kind: TokenFileKind,
    digest: (text: string, mtime: number) => Parsed<T>,
  ): FileState<T> =>
    kinds.has(kind)
      ? digested(scan, tokenFileName(stem, kind), digest, files)
      : { kind: 'missing' };
  const use = look('use', (text, mtime) => digestUse(text, mtime, scan.options.defaultLifetime));
  const renewal = look('renewal', (text) => {
    const value = parseRenewal(text);
    return value ? { ok: true, value } : { ok: false, reason: 'is not a renewal state' };
  });
  const top = look('top', digestTop);
  const overtaken = scan.options.isOvertaken?.({ user: scan.user, stem, top, use }) === true;
  return {
    user: scan.user,
    stem,
    top,
    use,
    meta: look('meta', digestMeta),
    renewal: renewal.kind === 'valid' ? renewal.value : undefined,
    seen: files.get(tokenFileName(stem, 'use'))?.seen ?? scan.now,
    ...(overtaken ? { overtaken } : {}),
  };
}

function digested<T>(
  { directory, known, now }: UserScan,
  name: string,
  digest: (text: string, mtime: number) => Parsed<T>,
  files: FileMemory,
): FileState<T> {
  const path = join(directory, name);
  const stats = statIfThere(path);
  const before = known(name);
  if (stats && before && sameIdentity(before.identity, identityFromStat(stats))) {
    files.set(name, before);
    // A name says how it is digested, so the same name always has the same kind of state.
    return before.state as FileState<T>;
  }
  const state = readDigest(path, digest);
  if (state.kind !== 'missing' && state.identity)
    files.set(name, { identity: state.identity, state, seen: now });
  return state;
}

/**
 * Reads and digests one file. A file that cannot be read or parsed is `broken`, with the
 * reason.
 */
function readDigest<T>(
  path: string,
  digest: (text: string, mtime: number) => Parsed<T>,
): FileState<T> {
  const reading = readCredentialFile(path);
  if (reading.kind !== 'text') return reading;
  const { text, identity } = reading;
  const parsed = digest(text, identity.mtime);
  return parsed.ok
    ? { kind: 'valid', value: parsed.value, identity }
    : { kind: 'broken', reason: parsed.reason, identity };
}

// One token's access token file, without a scan of the credential directory.

/**
 * Returns the times of the `.use` of one token in the credential directory `root`, as a
 * scan sees it. `defaultLifetime` in seconds, for a token that names none.
 */
export function readUse(
  root: string,
  user: string,
  stem: string,
  defaultLifetime: number,
): FileState<TokenTimes> {
  if (!isCredName(user) || !isCredName(stem)) return { kind: 'missing' };
  const directory = join(root, user);
  if (statIfThere(directory)?.isDirectory() === false) return { kind: 'missing' };
  return readDigest(join(directory, tokenFileName(stem, 'use')), (text, mtime) =>
    digestUse(text, mtime, defaultLifetime),
  );
}
