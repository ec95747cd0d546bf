// One look over the credential directory: names, stats, and the digest of every file that changed since the last look.
import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { createBreath } from '../base/breath.ts';
import { CodedError, systemCode } from '../base/errors.ts';
import { KEY_FILE_NAME } from '../credential/layout.ts';
import { isCredName } from '../credential/name.ts';
import { sameIdentity, type FileIdentity, type Instant, type TokenSnapshot } from '../credential/snapshot.ts';
import { identityFromStat, statIfThere } from './read-file.ts';
import type { LooseFile, Scan, ScanHabits, TemporaryFile } from './store.ts';
import { scanUserDirectory, temporaryFile, type FileMemory, type ScanOptions } from './user-scan.ts';

/** What a scan knows of one user's directory, kept for the next one. */
interface UserMemory {
  /** The directory's version at that look; `undefined` when it was too young to be told from a later one. */
  readonly identity: FileIdentity | undefined;
  readonly files: FileMemory;
  readonly tokens: readonly TokenSnapshot[];
}

/**
 * The memory of earlier scans: each user's directory, when every file was last looked at (`steady` seconds), and the first directory that an
 * interrupted scan passed over: the next one begins there.
 */
export interface ScanMemory {
  users: Map<string, UserMemory>;
  lastFull: number;
  resume: string | undefined;
}

/** A memory of nothing. */
export function emptyScanMemory(): ScanMemory {
  return { users: new Map(), lastFull: Number.NEGATIVE_INFINITY, resume: undefined };
}

/**
 * Credential files are replaced by rename, which changes their directory's modification time: between two full looks, this many seconds
 * apart, a directory that has not changed is not opened. What is changed in place waits for the full look.
 */
const FULL_LOOK_INTERVAL = 55;

/** The longest that a full look may be put off by somebody's hurry, in seconds. */
const LONGEST_WITHOUT_FULL = 300;

/** A directory that changed so recently (seconds) may change again within the same tick of the file system's clock. */
const CLOCK_GRAIN = 2;

/**
 * Scans `root`. What has not changed comes from `memory`, which then holds what stands now.
 * @throws CodedError `CRED_DIR_INVALID` when `root` itself cannot be listed
 */
export async function scanDirectory(
  root: string,
  memory: ScanMemory,
  now: Instant,
  options: ScanOptions,
  habits: ScanHabits = {},
): Promise<Scan> {
  const sinceFull = now.steady - memory.lastFull;
  const patient = sinceFull < LONGEST_WITHOUT_FULL;
  let full = sinceFull >= FULL_LOOK_INTERVAL;
  let resume: string | undefined;
  const found = { tokens: [] as TokenSnapshot[], keyFiles: [] as LooseFile[] };
  const temporaries: TemporaryFile[] = [];
  const problems: string[] = [];
  const users = new Map<string, UserMemory>();
  const breathe = createBreath();
  for (const entry of newOnesFirst(entriesOf(root), memory)) {
    if (entry.isDirectory() && isCredName(entry.name)) {
      const known = memory.users.get(entry.name);
      if (patient && known && habits.interrupted?.() === true) {
        users.set(entry.name, known);
        full = false;
        resume ??= entry.name;
        continue;
      }
      full &&= !(patient && habits.hurry?.() === true);
      const user = await scanUser(root, entry.name, known, {
        full,
        now,
        options,
        temporaries,
        problems,
        breathe,
      });
      if (user) users.set(entry.name, user);
      if (user && user !== known) habits.found?.(user.tokens);
      for (const token of user?.tokens ?? []) found.tokens.push(token);
    } else if (entry.isFile() && KEY_FILE_NAME.test(entry.name)) {
      const stats = statIfThere(join(root, entry.name));
      if (stats) found.keyFiles.push({ path: entry.name, mtime: stats.mtimeMs / 1000 });
    } else {
      const temporary = temporaryFile({ root, user: '', options }, entry);
      if (temporary) temporaries.push(temporary);
    }
    await breathe();
  }
  memory.users = users;
  memory.resume = resume;
  if (full) memory.lastFull = now.steady;
  return { ...found, temporaries, problems, ...(resume === undefined ? {} : { partial: true }) };
}

/**
 * A new directory is one that somebody may be waiting for: it comes before the others are even sorted out. Those follow from where the last
 * scan was interrupted, so that calls without end keep no directory from its turn.
 */
function* newOnesFirst(entries: readonly Dirent[], { users, resume }: ScanMemory): Generator<Dirent> {
  const fresh = users.size === 0 ? [] : entries.filter(({ name }) => !users.has(name));
  yield* fresh;
  const seen = new Set(fresh);
  const first =
    resume === undefined
      ? 0
      : Math.max(
          0,
          entries.findIndex(({ name }) => name === resume),
        );
  for (const entry of entries.slice(first)) if (!seen.has(entry)) yield entry;
  for (const entry of entries.slice(0, first)) if (!seen.has(entry)) yield entry;
}

function entriesOf(root: string): Dirent[] {
  try {
    return readdirSync(root, { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const text = `the credential directory ${root} cannot be listed (${code})`;
    throw new CodedError('CRED_DIR_INVALID', text, { path: root, system: code }, error);
  }
}

interface Look {
  readonly full: boolean;
  /** Lets the event loop run when this look has held it for long enough. */
  readonly breathe: () => Promise<void> | undefined;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly temporaries: TemporaryFile[];
  readonly problems: string[];
}

/** A directory that goes away while we look is swept, not broken. */
async function scanUser(
  root: string,
  user: string,
  known: UserMemory | undefined,
  look: Look,
): Promise<UserMemory | undefined> {
  const directory = join(root, user);
  const stats = statIfThere(directory);
  if (!stats) return undefined;
  const identity = identityFromStat(stats);
  if (!look.full && known?.identity && sameIdentity(known.identity, identity)) return known;
  let names: Dirent[];
  try {
    names = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      look.problems.push(`${directory} cannot be read (${code}); its tokens are not renewed`);
    }
    return undefined;
  }
  const scanned = await scanUserDirectory({ root, user, known: known?.files, ...look }, names);
  for (const temporary of scanned.temporaries) look.temporaries.push(temporary);
  // A leftover is reported until it is settled, so its directory is opened every time.
  const certain = identity.mtime < look.now.wall - CLOCK_GRAIN && scanned.temporaries.length === 0;
  return { identity: certain ? identity : undefined, files: scanned.files, tokens: scanned.tokens };
}
