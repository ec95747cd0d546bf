// Scans one user's directory: from its names to the snapshots of its tokens, reading only
// changed files.
import { join } from 'node:path';
import { isBeingWritten } from '../base/files/atomic-write.ts';
import { digestTop } from '../credential/digest.ts';
import { classifyUserEntry, type TokenFileKind, isCredName } from '../credential/file-names.ts';
import type { TokenSnapshot } from '../credential/snapshot.ts';
import { readCredentialFile, statIfThere } from './read-file.ts';
import { EVERY_KIND, KIND_BITS, type ScannedToken } from './scanned-token.ts';
import type { TemporaryFile } from './store.ts';
import { lookAtToken, type TokenScan } from './token-scan.ts';

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

/** One user's directory, its known tokens, and the time of the scan. */
export interface UserScan extends TokenScan {
  readonly options: Pick<ScanOptions, 'locked' | 'isAlive'>;
  readonly known: (stem: string) => ScannedToken | undefined;
  readonly shared: (stem: string) => string | undefined;
}

/** The turns of a scan that takes long. */
export interface Turns {
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
  readonly found: (tokens: readonly ScannedToken[]) => void;
  /** Called before other code can run, and after it. */
  readonly leave: () => void;
  readonly enter: () => UserScan;
}

/**
 * The tokens and leftovers of one user. If `aborted`, the tokens are only a part of all.
 */
export interface UserFound {
  readonly tokens: ScannedToken[];
  readonly temporaries: readonly TemporaryFile[];
  readonly aborted: boolean;
}

/**
 * A directory with at most this many entries is always scanned completely: an abort would
 * save no time.
 */
export const FEW = 256;

/** Scans a directory with few names, without a yield to the event loop. */
export function scanFew(scan: UserScan, names: readonly string[]): UserFound {
  const listed = createListed(scan.shared);
  for (const name of names) listed.add(name);
  const temporaries: TemporaryFile[] = [];
  for (const name of listed.temporaries) {
    const temporary = temporaryFile(scan, name);
    if (temporary) temporaries.push(temporary);
  }
  const tokens: ScannedToken[] = [];
  for (const [stem, kinds] of listed.stems) addToken(scan, stem, kinds, tokens);
  return { tokens, temporaries, aborted: false };
}

/**
 * Scans a directory with many names, in slices. Yields to the event loop between tokens,
 * never within one.
 */
export async function scanMany(
  turns: Turns,
  slices: Iterable<readonly string[]>,
): Promise<UserFound> {
  const tokens: ScannedToken[] = [];
  const temporaries: TemporaryFile[] = [];
  const aborted = (): UserFound => ({ tokens, temporaries: [], aborted: true });
  let scan = turns.enter();
  let reported = 0;
  const report = (): void => {
    turns.leave();
    if (reported < tokens.length) turns.found(tokens.slice(reported));
    reported = tokens.length;
  };
  /** Yields to the event loop if due; true if the scan is to be aborted. */
  const isCut = async (pause: Promise<void>, looked: number): Promise<boolean> => {
    report();
    await pause;
    if (looked > FEW && turns.interrupted()) return true;
    scan = turns.enter();
    return false;
  };
  try {
    const listed = createListed(scan.shared);
    let looked = 0;
    let yielded = false;
    let torn = false;
    for (const slice of slices) {
      torn ||= yielded;
      for (const name of slice) listed.add(name);
      looked += slice.length;
      const pause = turns.yieldIfDue();
      if (!pause) continue;
      yielded = true;
      if (await isCut(pause, looked)) return aborted();
    }
    for (const [index, name] of listed.temporaries.entries()) {
      const temporary = temporaryFile(scan, name);
      if (temporary) temporaries.push(temporary);
      const pause = turns.yieldIfDue();
      if (pause && (await isCut(pause, index))) return aborted();
    }
    looked = 0;
    for (const [stem, kinds] of listed.stems) {
      // A file replaced by rename between two slices may be missing in both: check all
      // files of each token.
      addToken(scan, stem, torn ? EVERY_KIND : kinds, tokens);
      looked += 1;
      const pause = turns.yieldIfDue();
      if (pause && (await isCut(pause, looked))) return aborted();
    }
    report();
    return { tokens, temporaries, aborted: false };
  } finally {
    turns.leave();
  }
}

function addToken(scan: UserScan, stem: string, kinds: number, tokens: ScannedToken[]): void {
  if ((kinds & (KIND_BITS.top | KIND_BITS.use)) === 0) return;
  const token = lookAtToken(scan, stem, kinds, scan.known(stem));
  if (token) tokens.push(token);
}

/**
 * The entries of a user's directory: the kinds of file of each token, and possible
 * temporary files.
 */
interface Listed {
  readonly stems: ReadonlyMap<string, number>;
  readonly temporaries: readonly string[];
  readonly add: (name: string) => void;
}

/** Classifies names. `shared` returns the one text for all equal names. */
function createListed(shared: UserScan['shared']): Listed {
  const stems = new Map<string, number>();
  const temporaries: string[] = [];
  const addFile = (stem: string, kind: TokenFileKind): void => {
    const name = shared(stem);
    if (name !== undefined) stems.set(name, (stems.get(name) ?? 0) | KIND_BITS[kind]);
  };
  return {
    stems,
    temporaries,
    add: (name) => {
      // Nearly all names are these.
      if (!name.startsWith('.')) {
        if (name.endsWith('.use')) return addFile(name.slice(0, -4), 'use');
        if (name.endsWith('.top')) return addFile(name.slice(0, -4), 'top');
        if (name.endsWith('.meta')) return addFile(name.slice(0, -5), 'meta');
        return;
      }
      const entry = classifyUserEntry(name);
      if (entry.kind === 'temporary') temporaries.push(name);
      else if (entry.kind !== 'other') addFile(entry.stem, entry.kind);
    },
  };
}

/** The most different names of tokens that are remembered. */
const MOST_STEMS = 10_000;

/**
 * Returns a function from a name to the one text for all equal names, because many users
 * have tokens of the same name; `undefined` for a name that CredD does not write.
 */
export function shareStems(known: Map<string, string>): UserScan['shared'] {
  return (stem) => {
    const one = known.get(stem);
    if (one !== undefined) return one;
    if (!isCredName(stem)) return undefined;
    if (known.size >= MOST_STEMS) known.clear();
    known.set(stem, stem);
    return stem;
  };
}

/** Returns a look-up of tokens by name, fastest in their own order. */
export function byStem(tokens: readonly ScannedToken[]): UserScan['known'] {
  let next = 0;
  let all: Map<string, ScannedToken> | undefined;
  return (stem) => {
    const token = tokens[next];
    if (token?.stem === stem) {
      next += 1;
      return token;
    }
    all ??= new Map(tokens.map((one) => [one.stem, one]));
    return all.get(stem);
  };
}

/**
 * Returns the facts about a temporary file of ours; only a regular file or a link can be
 * one.
 */
export function temporaryFile(
  { prefix, user, options }: Pick<UserScan, 'prefix' | 'user' | 'options'>,
  name: string,
): TemporaryFile | undefined {
  const entry = classifyUserEntry(name);
  if (entry.kind !== 'temporary' || isBeingWritten(name)) return undefined;
  const stats = statIfThere(prefix + name);
  if (stats && !stats.isFile() && !stats.isSymbolicLink()) return undefined;
  const reading = readCredentialFile(prefix + name);
  if (reading.kind === 'missing') return undefined;
  const top =
    reading.kind === 'text' && entry.target.endsWith('.top') ? digestTop(reading.text) : undefined;
  return {
    path: join(user, name),
    target: entry.target,
    mtime: reading.identity?.mtime ?? 0,
    // A process id may have been reused; the lock cannot have two holders.
    orphaned: (entry.locked && options.locked === true) || !options.isAlive(entry.pid),
    refreshToken: top?.ok === true && top.value.refreshToken === 'present',
  };
}
