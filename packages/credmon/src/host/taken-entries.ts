// Moves entries of a directory into which every user can write to a private directory:
// there nobody can replace them, and no mount of a user makes a look at them wait.
import {
  lstatSync,
  opendirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  type OpenDirOptions,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode, systemRandom } from '@credmon/core/base';

/** Entries that one call removes from directories that were not empty. */
const MOST_AT_ONCE = 1024;

/** An entry in the private directory. Its place there has a new name. */
export interface TakenEntry {
  readonly path: string;
  readonly stats: Stats;
}

/** The entries that were moved into the private directory. */
export interface TakenEntries {
  /**
   * Moves an entry; returns it, or the system's error code: `EBUSY` for a mount point.
   * The name is bytes: users choose it, and it need not be valid UTF-8.
   */
  take(this: void, directory: string, name: Buffer): TakenEntry | string;
  /** Removes an entry. A directory that is not empty is left for {@link empty}. */
  discard(this: void, entry: TakenEntry): void;
  /** Removes a part of what is left. Returns true if there is more to remove. */
  empty(this: void): boolean;
}

/**
 * Opens the private directory. What an earlier daemon left there is removed. `warn` gets
 * each problem, each time.
 * @throws the system's error if the directory cannot be read
 */
export function openTakenEntries(directory: string, warn: (text: string) => void): TakenEntries {
  // Other names than those of an earlier daemon.
  const prefix = Buffer.from(systemRandom(8)).toString('hex');
  let count = 0;
  /** Directories in the private one that are not empty. */
  const full: string[] = [];

  const take = (from: string, name: Buffer): TakenEntry | string => {
    count += 1;
    const path = join(directory, `${prefix}-${count}`);
    try {
      // Moves a link itself, and fails for a mount point without asking its file system.
      renameSync(Buffer.concat([Buffer.from(`${from}/`), name]), path);
      return { path, stats: lstatSync(path) };
    } catch (error) {
      return codeOf(error);
    }
  };
  const discard = ({ path, stats }: TakenEntry): void => {
    try {
      if (stats.isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY') full.push(path);
      else warn(`Cannot remove an entry of ${directory} (${code}, user id ${stats.uid})`);
    }
  };

  /** Moves entries of a directory up and discards them. Returns how many names it read. */
  const emptyOne = (path: string, most: number): number => {
    const names = firstNames(path, most);
    let moved = 0;
    for (const name of names) {
      const entry = take(path, name);
      if (typeof entry === 'string') continue;
      moved += 1;
      discard(entry);
    }
    // Fails if an entry could not be moved.
    if (names.length < most || moved === 0) rmdirSync(path);
    return names.length;
  };
  const empty = (): boolean => {
    let left = MOST_AT_ONCE;
    while (left > 0) {
      const path = full[0];
      if (path === undefined) return false;
      const most = left;
      try {
        left -= emptyOne(path, most);
      } catch (error) {
        // The next start of the daemon tries it again.
        warn(`Cannot empty a directory in ${directory} (${codeOf(error)})`);
        left -= 1;
        full.shift();
        continue;
      }
      if (left > 0) full.shift();
    }
    return true;
  };

  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats) discard({ path, stats });
  }
  return { take, discard, empty };
}

function firstNames(path: string, most: number): Buffer[] {
  const reading = readNames(path);
  const names: Buffer[] = [];
  try {
    while (names.length < most) {
      const name = reading.next();
      if (!name) break;
      names.push(name);
    }
  } finally {
    reading.close();
  }
  return names;
}

/** The types know encodings of text only; with this one, a name is a buffer. */
const AS_BYTES = { encoding: 'buffer', bufferSize: 256 } as unknown as OpenDirOptions;

/** The names of an open directory, one after the other, as bytes. */
export interface NameReading {
  /** Returns the next name; `undefined` at the end. @throws the system's error */
  next(this: void): Buffer | undefined;
  close(this: void): void;
}

/** Opens a directory to read its names, in no order. @throws the system's error */
export function readNames(path: string): NameReading {
  const directory = opendirSync(path, AS_BYTES);
  return {
    next: () => {
      const entry = directory.readSync();
      return entry === null ? undefined : Buffer.from(entry.name);
    },
    close: () => directory.closeSync(),
  };
}

function codeOf(error: unknown): string {
  const code = systemCode(error);
  if (code === undefined) throw error;
  return code;
}
