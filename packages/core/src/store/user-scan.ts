// One user's directory: from its names to the snapshots of its tokens, reading only files that have changed.
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

/** A file's digest, the version that it was made from, and when that version was first seen. */
interface Remembered {
  readonly identity: FileIdentity;
  readonly state: FileState<unknown>;
  readonly seen: Instant;
}

/** The files of one user's directory by name. */
export type FileMemory = Map<string, Remembered>;

/**
 * How a scan reads: the lifetime of tokens that name none (seconds), whether the scanner holds the lock of the directory, whether a
 * process still lives, and whether the `.use` of a token is known to come from another `.top`.
 */
export interface ScanOptions {
  readonly defaultLifetime: number;
  readonly locked?: boolean;
  readonly isAlive: (pid: number) => boolean;
  readonly isOvertaken?: (token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>) => boolean;
}

/** Which directory, what is known of it from before, and when. */
export interface UserScan {
  readonly root: string;
  readonly user: string;
  readonly known: FileMemory | undefined;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly breathe: () => Promise<void> | undefined;
}

/** The tokens and leftovers of one user, and what to remember of the files. */
export interface UserFound {
  readonly tokens: readonly TokenSnapshot[];
  readonly temporaries: readonly TemporaryFile[];
  readonly files: FileMemory;
}

/** Looks at every file that `names` lists, and breathes between tokens, never within one. */
export async function scanUserDirectory(scan: UserScan, names: readonly Dirent[]): Promise<UserFound> {
  const stems = new Map<string, Set<TokenFileKind>>();
  const temporaries: TemporaryFile[] = [];
  for (const dirent of names) {
    const entry = classifyUserEntry(dirent.name);
    if (entry.kind === 'temporary') {
      const temporary = temporaryFile(scan, dirent);
      if (temporary) temporaries.push(temporary);
    } else if (entry.kind !== 'other' && isCredName(entry.stem)) {
      const kinds = stems.get(entry.stem) ?? new Set();
      stems.set(entry.stem, kinds.add(entry.kind));
    }
  }
  const files: FileMemory = new Map();
  const tokens: TokenSnapshot[] = [];
  for (const [stem, kinds] of stems) {
    if (kinds.has('top') || kinds.has('use')) tokens.push(snapshotOf(scan, stem, kinds, files));
    await scan.breathe();
  }
  return { tokens, temporaries, files };
}

/** What is known of a temporary file of ours; only a file, or a link of that name, can be one. */
export function temporaryFile(
  { root, user, options }: Pick<UserScan, 'root' | 'user' | 'options'>,
  dirent: Dirent,
): TemporaryFile | undefined {
  const entry = classifyUserEntry(dirent.name);
  if (entry.kind !== 'temporary' || !(dirent.isFile() || dirent.isSymbolicLink())) return undefined;
  const path = join(user, dirent.name);
  const reading = readCredentialFile(join(root, path));
  if (reading.kind === 'missing') return undefined;
  const top = reading.kind === 'text' && entry.target.endsWith('.top') ? digestTop(reading.text) : undefined;
  return {
    path,
    target: entry.target,
    mtime: reading.identity?.mtime ?? 0,
    // A process number may have been given anew; the lock cannot have two holders.
    orphaned: (entry.locked && options.locked === true) || !options.isAlive(entry.pid),
    refreshToken: top?.ok === true && top.value.refreshToken === 'present',
  };
}

function snapshotOf(
  scan: UserScan,
  stem: string,
  kinds: Set<TokenFileKind>,
  files: FileMemory,
): TokenSnapshot {
  const look = <T>(kind: TokenFileKind, digest: (text: string, mtime: number) => Parsed<T>): FileState<T> =>
    kinds.has(kind) ? digested(scan, tokenFileName(stem, kind), digest, files) : { kind: 'missing' };
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
  { root, user, known, now }: UserScan,
  name: string,
  digest: (text: string, mtime: number) => Parsed<T>,
  files: FileMemory,
): FileState<T> {
  const path = join(root, user, name);
  const stats = statIfThere(path);
  const before = known?.get(name);
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

function readDigest<T>(path: string, digest: (text: string, mtime: number) => Parsed<T>): FileState<T> {
  const reading = readCredentialFile(path);
  if (reading.kind !== 'text') return reading;
  const { text, identity } = reading;
  const parsed = digest(text, identity.mtime);
  return parsed.ok
    ? { kind: 'valid', value: parsed.value, identity }
    : { kind: 'broken', reason: parsed.reason, identity };
}
