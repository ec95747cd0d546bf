// One user's turn in a scan: opens the directory safely, and scans it only if it may have
// changed.
import { join } from 'node:path';
import { systemCode } from '../base/errors/errors.ts';
import type { Inside } from '../base/files/held-directory.ts';
import { openSubdirectory, type OpenDirectory } from '../base/files/safe-directory.ts';
import { sameIdentity, type FileIdentity, type Instant } from '../credential/snapshot.ts';
import { fewNames, linkText, namesIn } from './directory-names.ts';
import { identityFromStat, statIfThere } from './read-file.ts';
import { KIND_BITS, type ScannedToken } from './scanned-token.ts';
import type { TemporaryFile } from './store.ts';
import {
  FEW,
  byStem,
  scanFew,
  scanMany,
  type ScanOptions,
  type UserFound,
  type UserScan,
} from './user-scan.ts';

/** The state of one user's directory, kept for the next scan. */
export interface UserMemory {
  /**
   * The directory's version at that scan; `undefined` if a later change could have the
   * same version.
   */
  readonly identity: FileIdentity | undefined;
  readonly tokens: ScannedToken[];
  /** Tokens read by a later scan that was aborted. */
  readonly unfinished?: readonly ScannedToken[];
}

/** An aborted scan of a directory, with its known state. */
interface AbortedUser {
  readonly aborted: true;
  readonly known: UserMemory;
}

/**
 * True if the user of a directory that has just changed may wait for a token: it is empty
 * still, or a token has no `.use`.
 */
export function isAwaited({ identity, tokens }: UserMemory): boolean {
  return identity === undefined && (tokens.length === 0 || tokens.some(lacksUse));
}

/** True for a token that has no `.use` yet. */
export function lacksUse({ kinds }: ScannedToken): boolean {
  return (kinds & KIND_BITS.use) === 0;
}

/** What is known of a user after a turn; `undefined`: there is no directory to read. */
export type ScannedUser = UserMemory | AbortedUser | undefined;

/** What a turn depends on, and its results besides the tokens. */
export interface UserTurn {
  readonly root: string;
  /** The root directory, which is open during the scan. */
  readonly here: OpenDirectory;
  readonly place: Inside;
  readonly now: Instant;
  readonly options: ScanOptions;
  readonly lazy: boolean;
  readonly yieldIfDue: () => Promise<void> | undefined;
  readonly interrupted: () => boolean;
  readonly found: (tokens: readonly ScannedToken[]) => void;
  readonly shared: UserScan['shared'];
  /** All files are checked, also in unchanged directories. */
  full: boolean;
  readonly temporaries: TemporaryFile[];
  readonly problems: string[];
}

/**
 * Seconds. A directory that changed more recently may change again within the same tick
 * of the file system's clock.
 */
const CLOCK_GRAIN = 2;

/**
 * Scans the directory of `user`. Returns a promise only for a large directory. A directory
 * that vanishes during the scan was swept, which is not an error.
 */
export function scanUser(
  turn: UserTurn,
  user: string,
  known: UserMemory | undefined,
): ScannedUser | Promise<ScannedUser> {
  const { here, place, full } = turn;
  let opened: OpenDirectory | undefined;
  try {
    let parent = here.path;
    if (known) {
      const prefix = place.enter(here);
      const stats = statIfThere(prefix + user);
      // Without one, the call that opens the directory gives the reason.
      const isSame =
        stats && known.identity && sameIdentity(known.identity, identityFromStat(stats));
      if (!full && isSame) return known;
      if (prefix === '') parent = '.';
    }
    opened = openSubdirectory(parent, user);
    const stats = opened.stat();
    const prefix = place.enter(opened);
    const names = fewNames(prefix === '' ? '.' : prefix, stats.size);
    const identity = identityFromStat(stats);
    if (!names || names.length > FEW)
      return scanLarge(turn, { user, opened, identity, known, names });
    const scanned = scanFew(scanOf(turn, user, opened, known), names);
    opened.close();
    opened = undefined;
    turn.found(scanned.tokens);
    return remembered(turn, scanned, identity, known);
  } catch (error) {
    place.leave();
    opened?.close();
    return unreadable(turn, user, error);
  }
}

/** A large directory, which is open. */
interface LargeUser {
  readonly user: string;
  readonly opened: OpenDirectory;
  readonly identity: FileIdentity;
  readonly known: UserMemory | undefined;
  readonly names: readonly string[] | undefined;
}

async function scanLarge(
  turn: UserTurn,
  { user, opened, identity, known, names }: LargeUser,
): Promise<ScannedUser> {
  const { place, yieldIfDue, interrupted, found } = turn;
  try {
    const scan = scanOf(turn, user, opened, known);
    const scanned = await scanMany(
      {
        yieldIfDue,
        interrupted,
        found,
        leave: () => place.leave(),
        enter: () => ({ ...scan, prefix: place.enter(opened) }),
      },
      names ? [names] : namesIn(opened.path),
    );
    return remembered(turn, scanned, identity, known);
  } catch (error) {
    place.leave();
    return unreadable(turn, user, error);
  } finally {
    opened.close();
  }
}

function scanOf(
  { place, now, options, lazy, shared }: UserTurn,
  user: string,
  opened: OpenDirectory,
  known: UserMemory | undefined,
): UserScan {
  const { defaultLifetime, isOvertaken } = options;
  const tokens = known?.tokens ?? [];
  return {
    prefix: place.enter(opened),
    user,
    now,
    lazy,
    defaultLifetime,
    ...(isOvertaken ? { isOvertaken } : {}),
    options,
    known: byStem(known?.unfinished ? [...tokens, ...known.unfinished] : tokens),
    shared,
  };
}

function remembered(
  { temporaries, now }: UserTurn,
  scanned: UserFound,
  identity: FileIdentity,
  known: UserMemory | undefined,
): ScannedUser {
  const { tokens } = scanned;
  if (scanned.aborted) {
    const before = known ?? { tokens: [] };
    return { aborted: true, known: { ...before, identity: undefined, unfinished: tokens } };
  }
  for (const temporary of scanned.temporaries) temporaries.push(temporary);
  // A leftover is reported until it is settled, so its directory is opened each time.
  const certain = identity.mtime < now.wall - CLOCK_GRAIN && scanned.temporaries.length === 0;
  return { identity: certain ? identity : undefined, tokens };
}

/** @throws anything but the system's errors */
function unreadable({ root, here, problems }: UserTurn, user: string, error: unknown): undefined {
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (code === 'ENOTDIR' && statIfThere(join(here.path, user))?.isSymbolicLink() === true) {
    problems.push(linkText(root, user));
  } else if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    problems.push(`${join(root, user)} cannot be read (${code}); its tokens are not renewed`);
  }
  return undefined;
}
