// Disk space reserved for rotated refresh tokens: a file that is removed when the disk is
// full, because these tokens have no other copy.
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
import { RESERVE_FILE } from '../credential/file-names.ts';
import type { DirectoryLock } from './lock.ts';

/** The smallest useful reserve, in bytes. */
export const SMALLEST_RESERVE: number = 256 * 1024;

/** Bytes that must stay free beside a new reserve. */
const ROOM = 64 * 1024;
/** The maximum share of the free space for a new reserve. */
const SHARE = 0.75;
const CHUNK = 64 * 1024;
const MODE = 0o600;

/**
 * The reserve after an attempt to create it: its size in bytes, 0 if there is none; `why`
 * it is smaller than requested.
 */
export interface ReserveKept {
  readonly bytes: number;
  readonly why?: string;
}

/** The reserved space in a credential directory. */
export interface Reserve {
  /**
   * Ensures a reserve of `bytes`, or of as much as the disk has. Yields to the event
   * loop. Never throws for a disk error or a foreign file of that name.
   */
  readonly keep: (bytes: number) => Promise<ReserveKept>;
  /** Releases the space to the file system. True if there was any. */
  readonly release: () => boolean;
}

/** The file that is being written; `cancelled` once its space is needed. */
interface Making {
  readonly descriptor: number;
  cancelled: boolean;
}

/**
 * Opens the reserve of the credential directory `root`. Without the `lock` the file
 * belongs to another process, and nothing is done.
 */
export function openReserve(root: string, lock: Pick<DirectoryLock, 'state'>): Reserve {
  const path = join(root, RESERVE_FILE);
  let making: Making | undefined;
  /**
   * The inode of the reserve that this process created: some file systems report the used
   * space of a file only later.
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
    const why = `${free} bytes free`;
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
 * Writes random bytes, which a file system cannot compress or omit. False if the space
 * was needed meanwhile.
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

/** Returns the size of a reserve that is ours and fully allocated; 0 for other files. */
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
 * Truncates a reserve, which frees its space even if another process has it open; returns
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
 * Bytes that this process may still write; infinite if the file system does not report
 * it.
 */
function freeBytes(directory: string): number {
  const { blocks, bavail, bsize } = statfsSync(directory);
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

/**
 * Milliseconds between two checks, and the number of checks: some file systems free space
 * with a delay.
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

/** A file that cannot be removed uses no space: it was truncated, or is not ours. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}
