// Reads the administrator's files: secrets, keys, maps. By one descriptor, so that what
// was judged is what was read.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { CodedError, systemCode } from '../errors/errors.ts';
import { openFileSafely } from './safe-directory.ts';

/**
 * The text of a file with its owner and permission bits; or that it is missing; or why it
 * cannot be used.
 */
export type SafeReading =
  | { readonly kind: 'text'; readonly text: string; readonly uid: number; readonly mode: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken'; readonly reason: string };

/** Larger than any key set or map file, in bytes. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Reads a regular file of at most `maxBytes` (4 MiB). Links are followed where root or
 * this process alone can have made them. Never throws for what may be at `path`, and
 * never blocks.
 */
export function readSafely(path: string, maxBytes: number = MOST_BYTES): SafeReading {
  let descriptor: number;
  try {
    descriptor = openFileSafely(path);
  } catch (error) {
    return whyNot(error);
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
    return whyNot(error);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The first `size` bytes of an open file, fewer when it ends before.
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

function whyNot(error: unknown): SafeReading {
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
