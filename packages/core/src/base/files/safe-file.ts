// Reads the administrator's files (secrets, keys, maps) through one descriptor, so that
// the file that was checked is the file that is read.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { CodedError, systemCode } from '../errors/errors.ts';
import { milliseconds, systemClock } from '../time/clock.ts';
import { openFileSafely } from './safe-directory.ts';

/**
 * The text of a file with its owner and permission bits; `missing`; or the reason why it
 * cannot be used.
 */
export type SafeReading =
  | { readonly kind: 'text'; readonly text: string; readonly uid: number; readonly mode: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken'; readonly reason: string };

/** In bytes. Larger than any key set or map file. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Reads a regular file of at most `maxBytes` (4 MiB). Links are followed if only root and
 * this process can have created them. Never blocks, and never throws for the type or the
 * contents of the file.
 */
export function readSafely(path: string, maxBytes: number = MOST_BYTES): SafeReading {
  let descriptor: number;
  try {
    descriptor = openFileSafely(path);
  } catch (error) {
    return readFailure(error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) return { kind: 'broken', reason: 'is a directory' };
    if (!stats.isFile()) return { kind: 'broken', reason: 'is not a regular file' };
    if (stats.size > maxBytes)
      return { kind: 'broken', reason: `is larger than ${maxBytes} bytes` };
    const text = readBytes(descriptor, stats.size).toString('utf8');
    return { kind: 'text', text, uid: stats.uid, mode: stats.mode & 0o7777 };
  } catch (error) {
    return readFailure(error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Returns the first `size` bytes of an open file, or fewer if it is shorter.
 * @throws the system's error
 */
export function readBytes(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const count = readSync(descriptor, bytes, length, size - length, null);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

function readFailure(error: unknown): SafeReading {
  if (error instanceof CodedError)
    return { kind: 'broken', reason: `cannot be used: ${error.message}` };
  const code = systemCode(error);
  if (code === undefined) throw error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  return {
    kind: 'broken',
    reason: code === 'ELOOP' ? 'is a symbolic link' : `cannot be read (${code})`,
  };
}

/** Milliseconds between two reads of a pipe that is open and empty. */
const PIPE_PAUSE = 20;
const CHUNK = 64 * 1024;

/**
 * Reads a file, also one without a size such as a pipe or a device, but no more than
 * `maxBytes` and one byte: a longer result means a file that is too large. A pipe may be
 * silent for `silence` seconds.
 * @throws the system's error; Error for a FIFO from which nothing comes: no process has
 * opened it for writing, or it writes nothing
 */
export function readAtMost(path: string, maxBytes: number, silence = 30): Buffer {
  // Else the open of a FIFO waits for a writer without end.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const pieces: Buffer[] = [];
    let deadline = milliseconds() + silence * 1000;
    for (let left = maxBytes + 1; left > 0;) {
      const piece = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const count = readIfReady(descriptor, piece);
      if (count === 0) break;
      if (count === undefined) {
        if (milliseconds() > deadline)
          throw new Error(`the pipe ${path} has been silent for ${silence} s`);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PIPE_PAUSE);
        continue;
      }
      deadline = milliseconds() + silence * 1000;
      pieces.push(piece.subarray(0, count));
      left -= count;
    }
    if (pieces.length === 0 && fstatSync(descriptor).isFIFO())
      throw new Error(`nothing comes from the pipe ${path}: no process writes to it`);
    return Buffer.concat(pieces);
  } finally {
    closeSync(descriptor);
  }
}

/** Returns the number of bytes read; undefined if the pipe is open, but has none yet. */
function readIfReady(descriptor: number, piece: Buffer): number | undefined {
  try {
    return readSync(descriptor, piece, 0, piece.length, null);
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

/**
 * A file that changed less than this many seconds ago is read again: two changes within
 * one tick of the file system's clock look alike.
 */
const SETTLED = 2;

/** What was read of files, until they change. */
export interface FileMemory<T> {
  /** True if something is kept of a file, which may have changed. */
  has(path: string): boolean;
  /** Returns what is kept of a file, if `found`, its stat of now, is the stat of then. */
  recall(path: string, found: Stats): T | undefined;
  /**
   * Keeps what was read of a file whose descriptor had this stat before the read, unless
   * the file may change unseen because it has just changed.
   */
  keep(path: string, read: Stats, value: T): void;
}

/** Remembers at most `most` files, and each for at most `seconds`. */
export function rememberFiles<T>(most: number, seconds: number = Infinity): FileMemory<T> {
  const known = new Map<string, { readonly stats: Stats; readonly value: T }>();
  const forget = (): void => known.clear();
  return {
    has: (path) => known.has(path),
    recall: (path, found) => {
      const before = known.get(path);
      if (!before) return undefined;
      if (isSameFile(before.stats, found)) return before.value;
      known.delete(path);
      return undefined;
    },
    keep: (path, stats, value) => {
      const age = systemClock.now() - Math.max(stats.mtimeMs, stats.ctimeMs) / 1000;
      if (age <= SETTLED) return;
      if (known.size >= most) forget();
      if (known.size === 0 && seconds < Infinity) setTimeout(forget, seconds * 1000).unref();
      known.set(path, { stats, value });
    },
  };
}

function isSameFile(one: Stats, other: Stats): boolean {
  return (
    one.ino === other.ino &&
    one.ctimeMs === other.ctimeMs &&
    one.mtimeMs === other.mtimeMs &&
    one.size === other.size &&
    one.dev === other.dev
  );
}
