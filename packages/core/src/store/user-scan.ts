// Scans one user's directory: from its names to the snapshots of its tokens, reading only
// changed files.
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import type { Parsed } from '../credential/contents.ts';
import { digestMeta, digestTop, digestUseFile, parseRenewal } from '../credential/digest.ts';
import { parseIssued, withIssuedState, type UseFacts } from '../credential/issued-state.ts';
import { classifyUserEntry, tokenFileName, type TokenFileKind } from '../credential/name.ts';
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
 * A file's digest, its version, and the time when that version was first seen; `facts` is
 * what else `.use` says.
 */
interface Remembered {
  readonly identity: FileIdentity;
  readonly state: FileState<unknown>;
  readonly seen: Instant;
  readonly facts?: UseFacts | undefined;
}

/** What the text of a file says. */
type Digest<T> = (
  text: string,
  mtime: number,
) => Parsed<T> & { readonly facts?: UseFacts | undefined };

/** The files of one user's directory by name. */
export type FileMemory = Map<string, Remembered>;

/**
 * Options of a scan: the lifetime of tokens without one (seconds), whether this process
 * holds the lock of the directory, whether a process is alive, and whether the `.use` of
 * a token is known to come from another `.top`.
 */
export interface ScanOptions {
  readonly defaultLifetime: number;
  readonly locked?: boolean;
  readonly isAlive: (pid: number) => boolean;
  readonly isOvertaken?: (token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>) => boolean;
}

/** The directory, its known state, and the time of the scan. */
interface UserScan {
  /** A path of the user's directory, which is open during the scan. */
  readonly directory: string;
  readonly user: string;
  readonly known: (name: string) => Remembered | undefined;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly yieldIfDue: () => Promise<void> | undefined;
  /**
   * Checked after each yield to the event loop: true aborts the scan of a directory after
   * more than a few files.
   */
  readonly interrupted: () => boolean;
  /**
   * Called with tokens as soon as they are read, at the latest before the next yield to
   * the event loop.
   */
  readonly found: (tokens: readonly TokenSnapshot[]) => void;
}

/**
 * The tokens and leftovers of one user, and the state of the files to keep. If `aborted`,
 * only the files are valid.
 */
export interface UserFound {
  readonly tokens: readonly TokenSnapshot[];
  readonly temporaries: readonly TemporaryFile[];
  readonly files: FileMemory;
  readonly aborted: boolean;
}

/**
 * A directory with at most this many entries is always scanned completely: an abort would
 * save no time.
 */
export const FEW = 256;

/**
 * Checks every file in the slices of `names`. Yields to the event loop between tokens,
 * never within one.
 */
export async function scanUserDirectory(
  scan: UserScan,
  names: Iterable<readonly Dirent[]>,
): Promise<UserFound> {
  const files: FileMemory = new Map();
  const aborted = (): UserFound => ({ tokens: [], temporaries: [], files, aborted: true });
  const listed = await listUser(scan, names);
  if (!listed) return aborted();
  const temporaries: TemporaryFile[] = [];
  for (const [index, dirent] of listed.temporaries.entries()) {
    const temporary = temporaryFile(scan, dirent);
    if (temporary) temporaries.push(temporary);
    if (await isAborted(scan, index)) return aborted();
  }
  const tokens: TokenSnapshot[] = [];
  let reported = 0;
  const report = (): void => {
    if (reported < tokens.length) scan.found(tokens.slice(reported));
    reported = tokens.length;
  };
  let looked = 0;
  for (const [stem, kinds] of listed.stems) {
    if (kinds.has('top') || kinds.has('use')) {
      const token = snapshotOf(scan, stem, kinds, files);
      if (token.top.kind !== 'missing' || token.use.kind !== 'missing') tokens.push(token);
    }
    looked += 1;
    const pause = scan.yieldIfDue();
    if (!pause) continue;
    report();
    await pause;
    if (looked > FEW && scan.interrupted()) return aborted();
  }
  report();
  return { tokens, temporaries, files, aborted: false };
}

/**
 * The entries of a user's directory: the kinds of file of each token, and possible
 * temporary files.
 */
interface Listed {
  readonly stems: ReadonlyMap<string, ReadonlySet<TokenFileKind>>;
  readonly temporaries: readonly Dirent[];
}

/** Classifies the names of a user's directory; `undefined` if the scan was aborted. */
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
    const pause = scan.yieldIfDue();
    if (!pause) continue;
    await pause;
    yielded = true;
    if (looked > FEW && scan.interrupted()) return undefined;
  }
  // A file replaced by rename between two slices may be missing in both: check all files
  // of each token.
  if (torn) for (const stem of stems.keys()) stems.set(stem, EVERY_KIND);
  return { stems, temporaries };
}

const EVERY_KIND: Set<TokenFileKind> = new Set(['top', 'use', 'meta', 'renewal', 'issued']);

/**
 * Yields to the event loop if due; true if the scan is to be aborted after `looked`
 * entries.
 */
async function isAborted(scan: UserScan, looked: number): Promise<boolean> {
  const pause = scan.yieldIfDue();
  if (!pause) return false;
  await pause;
  return looked > FEW && scan.interrupted();
}

/**
 * Returns the facts about a temporary file of ours; only a regular file or a link can be
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
    // A process id may have been reused; the lock cannot have two holders.
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
  const look = <T>(kind: TokenFileKind, digest: Digest<T>, hashed = false): FileState<T> =>
    kinds.has(kind)
      ? digested(scan, tokenFileName(stem, kind), digest, files, hashed)
      : { kind: 'missing' };
  // Before `.use`, which is written after it.
  const issued = look('issued', parseIssued);
  const hashed = issued.kind !== 'missing';
  const written = look('use', useDigest(scan.options.defaultLifetime, hashed), hashed);
  const remembered = files.get(tokenFileName(stem, 'use'));
  const { use, assumed, unfinished } = withIssuedState(
    written,
    remembered?.facts ?? NO_FACTS,
    issued,
  );
  const renewal = look('renewal', (text) => {
    const value = parseRenewal(text);
    return value ? { ok: true, value } : { ok: false, reason: 'is not a renewal state' };
  });
  const top = look('top', digestTop);
  const overtaken = scan.options.isOvertaken?.({ user: scan.user, stem, top, use });
  return {
    user: scan.user,
    stem,
    top,
    use,
    meta: look('meta', digestMeta),
    renewal: renewal.kind === 'valid' ? renewal.value : undefined,
    seen: remembered?.seen ?? scan.now,
    overtaken: unfinished ? true : overtaken,
    assumed: assumed ? true : undefined,
    issued: hashed ? issued : undefined,
  };
}

const NO_FACTS: UseFacts = { assumed: false, bare: false };

function useDigest(defaultLifetime: number, hashed: boolean): Digest<TokenTimes> {
  return (text, mtime) => {
    const digest = digestUseFile(text, mtime, defaultLifetime, hashed);
    if (!digest.ok) return digest;
    const { times, ...facts } = digest.value;
    // Most files are like this: one object for all saves memory.
    return { ok: true, value: times, facts: facts.assumed || facts.bare ? facts : NO_FACTS };
  };
}

function digested<T>(
  { directory, known, now }: UserScan,
  name: string,
  digest: Digest<T>,
  files: FileMemory,
  hashed: boolean,
): FileState<T> {
  const path = join(directory, name);
  const stats = statIfThere(path);
  const before = known(name);
  const isKnown =
    stats && before && sameIdentity(before.identity, identityFromStat(stats)) ? before : undefined;
  // Without a state file, the hash of a bare token was not needed.
  const lacksHash = hashed && isKnown?.facts?.bare === true && isKnown.facts.hash === undefined;
  if (isKnown && !lacksHash) {
    files.set(name, isKnown);
    // The name determines the digest, so the same name always has the same type of state.
    return isKnown.state as FileState<T>;
  }
  const { state, facts } = readDigest(path, digest);
  if (state.kind !== 'missing' && state.identity) {
    const { identity } = state;
    const seen = isKnown && sameIdentity(isKnown.identity, identity) ? isKnown.seen : now;
    files.set(name, { identity, state, seen, facts });
  }
  return state;
}

/**
 * Reads and digests one file. A file that cannot be read or parsed is `broken`, with the
 * reason.
 */
function readDigest<T>(
  path: string,
  digest: Digest<T>,
): { readonly state: FileState<T>; readonly facts?: UseFacts | undefined } {
  const reading = readCredentialFile(path);
  if (reading.kind !== 'text') return { state: reading };
  const { text, identity } = reading;
  const parsed = digest(text, identity.mtime);
  if (!parsed.ok) return { state: { kind: 'broken', reason: parsed.reason, identity } };
  return { state: { kind: 'valid', value: parsed.value, identity }, facts: parsed.facts };
}

// One access token file, without a scan of the credential directory.

/**
 * Returns the times of the `.use` of one token in the credential directory `root`, like a
 * scan, also if only `.S.issued` says them. `defaultLifetime` in seconds, for a token without a lifetime.
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
  const path = (kind: TokenFileKind): string => join(directory, tokenFileName(stem, kind));
  const issued = readDigest(path('issued'), parseIssued).state;
  const { state, facts = NO_FACTS } = readDigest(path('use'), useDigest(defaultLifetime, true));
  return withIssuedState(state, facts, issued).use;
}
