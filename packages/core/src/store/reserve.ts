// Disk space that is kept for rotated refresh tokens: a file that is removed when the
// disk is full, because they exist nowhere else.
import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  statfsSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { createYielder } from '../base/time/yielder.ts';
import { systemCode } from '../base/errors/errors.ts';
import { RESERVE_FILE } from '../credential/layout.ts';
import type { DirectoryLock } from './lock.ts';

/** The smallest reserve that is of use, in bytes. */
export const SMALLEST_RESERVE: number = 256 * 1024;

/** What must stay free beside a new reserve, in bytes. */
const ROOM = 64 * 1024;
/** A new reserve takes at most this share of what is free. */
const SHARE = 0.75;
const CHUNK = 64 * 1024;
const MODE = 0o600;

/**
 * The reserve after an attempt to keep it: its size in bytes, 0 where there is none;
 * `why` it is smaller than asked for.
 */
export interface ReserveKept {
  readonly bytes: number;
  readonly why?: string;
}

/** The space that is reserved in a credential directory. */
export interface Reserve {
  /**
   * Makes sure of a reserve of `bytes`, or of as much as the disk has room for. Lets the
   * event loop run meanwhile. Never throws for what the disk or a foreign file of that
   * name may do.
   */
  readonly keep: (bytes: number) => Promise<ReserveKept>;
  /** Gives the space back to the file system. True when there was any. */
  readonly release: () => boolean;
}

/** The file that is being written; `cancelled` once its space is wanted. */
interface Making {
  readonly descriptor: number;
  cancelled: boolean;
}

/**
 * The reserve of the credential directory `root`; without the `lock` the file is another
 * process's, and nothing is done.
 */
export function openReserve(root: string, lock: Pick<DirectoryLock, 'state'>): Reserve {
  const path = join(root, RESERVE_FILE);
  let making: Making | undefined;
  /**
   * The inode of the reserve that this process made: some file systems tell only later
   * how much space a file takes up.
   */
  let made: number | undefined;

  const make = async (bytes: number): Promise<string | undefined> => {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const now: Making = { descriptor: openSync(path, flags, MODE), cancelled: false };
    making = now;
    made = fstatSync(now.descriptor).ino;
    try {
      fchmodSync(now.descriptor, MODE);
      return (await fill(now, bytes)) ? undefined : 'the disk is full';
    } catch (error) {
      removeQuietly(path);
      throw error;
    } finally {
      making = undefined;
      closeSync(now.descriptor);
    }
  };

  const keep = async (wanted: number): Promise<ReserveKept> => {
    const there = sizeOf(path, made);
    if (there >= wanted) return { bytes: there };
    const free = freeBytes(root) + there;
    const bytes = Math.min(wanted, Math.max(SMALLEST_RESERVE, Math.floor(free * SHARE)));
    const why = `${free} bytes are free`;
    if (there >= SMALLEST_RESERVE && bytes <= there) return { bytes: there, why };
    if (free < bytes + ROOM) return { bytes: there, why };
    removeIfThere(path);
    const failed = await make(bytes);
    if (failed !== undefined) return { bytes: 0, why: failed };
    return bytes < wanted ? { bytes, why } : { bytes };
  };

  return {
    keep: async (bytes) => {
      if (making || lock.state() !== 'held') return { bytes };
      try {
        return await keep(bytes);
      } catch (error) {
        const code = systemCode(error);
        if (code === undefined) throw error;
        return { bytes: 0, why: code };
      }
    },
    release: () => {
      if (lock.state() !== 'held') return false;
      const before = freeBytes(root);
      const emptied = making ? cancel(making) : empty(path);
      removeQuietly(path);
      if (emptied > 0) awaitFree(root, before + emptied / 2);
      return emptied > 0;
    },
  };
}

/**
 * Writes bytes that no file system can compress or leave out. False when the space was
 * wanted meanwhile.
 */
async function fill(making: Making, bytes: number): Promise<boolean> {
  const yieldIfDue = createYielder();
  const chunk = Buffer.alloc(Math.min(CHUNK, bytes));
  for (let written = 0; written < bytes;) {
    randomFillSync(chunk);
    written += writeSync(making.descriptor, chunk, 0, Math.min(chunk.length, bytes - written));
    await yieldIfDue();
    if (making.cancelled) return false;
  }
  return true;
}

function cancel(making: Making): number {
  making.cancelled = true;
  const { size } = fstatSync(making.descriptor);
  ftruncateSync(making.descriptor, 0);
  return size;
}

/**
 * The size of a reserve that is ours and takes up its space; 0 for anything else of that
 * name.
 */
function sizeOf(path: string, made: number | undefined): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || !isOurs(stats)) return 0;
  return stats.ino === made || stats.blocks * 512 >= stats.size ? stats.size : 0;
}

function isOurs(stats: Stats): boolean {
  return (
    stats.isFile() &&
    stats.nlink === 1 &&
    stats.uid === process.geteuid?.() &&
    (stats.mode & 0o7777) === MODE
  );
}

/**
 * Gives back the space of a reserve, also where another process still has it open; gives
 * its size.
 */
function empty(path: string): number {
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const descriptor = openSync(path, flags);
    try {
      const stats = fstatSync(descriptor);
      if (!isOurs(stats)) return 0;
      ftruncateSync(descriptor, 0);
      return stats.size;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return 0;
  }
}

/**
 * Bytes that this process may still write; infinite where the file system does not say.
 */
function freeBytes(directory: string): number {
  const { blocks, bavail, bsize } = statfsSync(directory);
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

/**
 * Milliseconds between two looks, and looks at most: some file systems free space a
 * moment later.
 */
const LOOK = 50;
const MOST_LOOKS = 10;

function awaitFree(directory: string, bytes: number): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let look = 0; look < MOST_LOOKS && freeBytes(directory) < bytes; look += 1)
    Atomics.wait(never, 0, 0, LOOK);
}

/** @throws the system's error, also for a directory of that name */
function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** What cannot be removed takes up no space: it was emptied, or is a foreign one. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
