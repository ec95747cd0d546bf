// One look over the credential directory: names, stats, and the digest of every file that changed since the last look.
import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemCode } from '../base/errors.ts';
import type { Parsed } from '../credential/contents.ts';
import { digestMeta, digestTop, digestUse, parseRenewal } from '../credential/digest.ts';
import { KEY_FILE_NAME, classifyUserEntry, tokenFileName, type TokenFileKind } from '../credential/layout.ts';
import { isCredName } from '../credential/name.ts';
import {
  sameIdentity,
  type FileIdentity,
  type FileState,
  type Instant,
  type TokenSnapshot,
} from '../credential/snapshot.ts';
import { identityFromStat, readCredentialFile } from './read-file.ts';
import type { LooseFile, Scan, TemporaryFile } from './store.ts';

/** A file's digest and the version that it was made from, kept from one scan to the next. */
interface Remembered {
  readonly identity: FileIdentity | undefined;
  readonly state: FileState<unknown>;
  readonly seen: Instant;
}

/** The memory of earlier scans, by path below the directory. */
export type ScanMemory = Map<string, Remembered>;

/** How a scan reads: the lifetime of tokens that name none (seconds), and whether a process still lives. */
export interface ScanOptions {
  readonly defaultLifetime: number;
  readonly isAlive: (pid: number) => boolean;
}

interface Gathered {
  readonly tokens: TokenSnapshot[];
  readonly keyFiles: LooseFile[];
  readonly temporaries: TemporaryFile[];
  readonly problems: string[];
}

/** Seconds of directory work between two breaths of the event loop. */
const BREATH = 0.005;

/** Scans `root`. Digests come from `memory` where a file's identity has not changed; `memory` is replaced by what stands now. */
export async function scanDirectory(
  root: string,
  memory: ScanMemory,
  now: Instant,
  options: ScanOptions,
): Promise<Scan> {
  const found: Gathered = { tokens: [], keyFiles: [], temporaries: [], problems: [] };
  const fresh: ScanMemory = new Map();
  let breath = performance.now();
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      if (isCredName(entry.name)) scanUser(root, entry.name, found, { memory, fresh, now, options });
    } else if (entry.isFile() && KEY_FILE_NAME.test(entry.name)) {
      const stats = statIfThere(join(root, entry.name));
      if (stats) found.keyFiles.push({ path: entry.name, mtime: stats.mtimeMs / 1000 });
    }
    if (performance.now() - breath > BREATH * 1000) {
      await nextTurn();
      breath = performance.now();
    }
  }
  memory.clear();
  for (const [path, remembered] of fresh) memory.set(path, remembered);
  return found;
}

interface UserScan {
  readonly memory: ScanMemory;
  readonly fresh: ScanMemory;
  readonly now: Instant;
  readonly options: ScanOptions;
}

function scanUser(root: string, user: string, found: Gathered, scan: UserScan): void {
  const stems = new Map<string, Set<TokenFileKind>>();
  for (const { name } of namesIn(join(root, user), found.problems)) {
    const entry = classifyUserEntry(name);
    if (entry.kind === 'temporary') {
      const temporary = temporaryFile(root, join(user, name), entry, scan.options);
      if (temporary) found.temporaries.push(temporary);
    } else if (entry.kind !== 'other' && isCredName(entry.stem)) {
      const kinds = stems.get(entry.stem) ?? new Set();
      stems.set(entry.stem, kinds.add(entry.kind));
    }
  }
  for (const [stem, kinds] of stems) {
    if (kinds.has('top') || kinds.has('use')) found.tokens.push(snapshotOf(root, user, stem, kinds, scan));
  }
}

function temporaryFile(
  root: string,
  path: string,
  entry: { readonly pid: number; readonly target: string },
  options: ScanOptions,
): TemporaryFile | undefined {
  const reading = readCredentialFile(join(root, path));
  if (reading.kind === 'missing') return undefined;
  const top = reading.kind === 'text' && entry.target.endsWith('.top') ? digestTop(reading.text) : undefined;
  return {
    path,
    target: entry.target,
    mtime: reading.identity?.mtime ?? 0,
    orphaned: !options.isAlive(entry.pid),
    refreshToken: top?.ok === true && top.value.refreshToken === 'present',
  };
}

/** A directory that goes away while we look is swept, not broken. */
function namesIn(directory: string, problems: string[]): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      problems.push(`${directory} cannot be read (${code}); its tokens are not renewed`);
    return [];
  }
}

function statIfThere(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function snapshotOf(
  root: string,
  user: string,
  stem: string,
  kinds: Set<TokenFileKind>,
  scan: UserScan,
): TokenSnapshot {
  const { defaultLifetime } = scan.options;
  const look = <T>(kind: TokenFileKind, digest: (text: string, mtime: number) => Parsed<T>): FileState<T> =>
    kinds.has(kind)
      ? digested(root, join(user, tokenFileName(stem, kind)), digest, scan)
      : { kind: 'missing' };
  const use = look('use', (text, mtime) => digestUse(text, mtime, defaultLifetime));
  const renewal = look('renewal', (text) => {
    const value = parseRenewal(text);
    return value ? { ok: true, value } : { ok: false, reason: 'is not a renewal state' };
  });
  return {
    user,
    stem,
    top: look('top', digestTop),
    use,
    meta: look('meta', digestMeta),
    renewal: renewal.kind === 'valid' ? renewal.value : undefined,
    seen: scan.fresh.get(join(user, tokenFileName(stem, 'use')))?.seen ?? scan.now,
  };
}

function digested<T>(
  root: string,
  path: string,
  digest: (text: string, mtime: number) => Parsed<T>,
  { memory, fresh, now }: UserScan,
): FileState<T> {
  const stats = statIfThere(join(root, path));
  if (!stats) return { kind: 'missing' };
  const identity = identityFromStat(stats);
  const known = memory.get(path);
  if (known && known.identity !== undefined && sameIdentity(known.identity, identity)) {
    fresh.set(path, known);
    // The path says which digest made it, and a path is digested in one way only.
    return known.state as FileState<T>;
  }
  const state = readDigest(join(root, path), digest);
  fresh.set(path, { identity: state.kind === 'missing' ? undefined : state.identity, state, seen: now });
  return state;
}

function readDigest<T>(path: string, digest: (text: string, mtime: number) => Parsed<T>): FileState<T> {
  const reading = readCredentialFile(path);
  if (reading.kind !== 'text') return reading;
  const { text, identity } = reading;
  const parsed = digest(text, identity.mtime);
  return parsed.ok
    ? { kind: 'valid', value: parsed.value, identity }
    : { kind: 'broken', reason: parsed.reason, identity };
}
