// Reads one credential file without following links, blocking on a pipe, or reading a
// huge file.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from 'node:fs';
import { systemCode } from '../base/errors/errors.ts';
import { MAX_CREDENTIAL_BYTES } from '../credential/file-contents.ts';
import type { FileIdentity } from '../credential/snapshot.ts';

/**
 * The text of a file and its version; or missing; or the reason why it cannot be used.
 */
export type FileReading =
  | { readonly kind: 'text'; readonly text: string; readonly identity: FileIdentity }
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'broken';
      readonly reason: string;
      readonly identity?: FileIdentity;
      readonly blocked?: true;
    };

/** Returns the identity of a file from its stat. */
export function identityFromStat(stats: Stats): FileIdentity {
  return { ino: stats.ino, mtime: stats.mtimeMs / 1000, size: stats.size };
}

/**
 * Returns the stat of a file; `undefined` if it is missing or stat fails (reading it then
 * gives the reason).
 */
export function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** Bytes of one buffer for all files up to this size: a file is read without a pause. */
const COMMON_BYTES = 65_536;
const common = Buffer.allocUnsafeSlow(COMMON_BYTES);

/** The bytes of a file, valid until the next file is read, and its version. */
export interface FileBytes {
  readonly kind: 'bytes';
  readonly bytes: Buffer;
  readonly length: number;
  readonly identity: FileIdentity;
}

/**
 * Reads a regular file of at most 1 MiB. Never throws for the type or contents of the
 * file.
 */
export function readCredentialFile(
  path: string,
  maxBytes: number = MAX_CREDENTIAL_BYTES,
): FileReading {
  const reading = readCredentialBytes(path, maxBytes);
  if (reading.kind !== 'bytes') return reading;
  const { bytes, length, identity } = reading;
  return { kind: 'text', text: bytes.toString('utf8', 0, length), identity };
}

/** Like {@link readCredentialFile}, without decoding the text. */
export function readCredentialBytes(
  path: string,
  maxBytes: number = MAX_CREDENTIAL_BYTES,
): FileBytes | Exclude<FileReading, { readonly kind: 'text' }> {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return readFailure(error);
  }
  try {
    const stats = fstatSync(descriptor);
    const identity = identityFromStat(stats);
    if (stats.isDirectory())
      return { kind: 'broken', reason: 'is a directory', identity, blocked: true };
    if (!stats.isFile()) return { kind: 'broken', reason: 'is not a regular file', identity };
    if (stats.size > maxBytes)
      return { kind: 'broken', reason: `is larger than ${maxBytes} bytes`, identity };
    const bytes = stats.size <= COMMON_BYTES ? common : Buffer.alloc(stats.size);
    let length = 0;
    while (length < stats.size) {
      const count = readSync(descriptor, bytes, length, stats.size - length, null);
      if (count === 0) break;
      length += count;
    }
    return { kind: 'bytes', bytes, length, identity };
  } catch (error) {
    return readFailure(error);
  } finally {
    closeSync(descriptor);
  }
}

function readFailure(error: unknown): Exclude<FileReading, { readonly kind: 'text' }> {
  switch (systemCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'missing' };
    case 'ELOOP':
      return { kind: 'broken', reason: 'is a symbolic link' };
    case undefined:
      throw error;
    default:
      return { kind: 'broken', reason: `cannot be read (${systemCode(error)})` };
  }
}
