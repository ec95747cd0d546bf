// Reads the administrator's files (secrets, keys, maps) through one descriptor, so that
// the file that was checked is the file that is read.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CodedError, systemCode } from '../errors/errors.ts';
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

const CHUNK = 64 * 1024;

/**
 * Reads a file, also one without a size such as a pipe or a device, but no more than
 * `maxBytes` and one byte: a longer result means a file that is too large.
 * @throws the system's error
 */
export function readAtMost(path: string, maxBytes: number): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let left = maxBytes + 1; left > 0;) {
      const piece = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const count = readSync(descriptor, piece, 0, piece.length, null);
      if (count === 0) break;
      pieces.push(piece.subarray(0, count));
      left -= count;
    }
    return Buffer.concat(pieces);
  } finally {
    closeSync(descriptor);
  }
}
