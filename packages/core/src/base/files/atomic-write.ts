// Replaces files so that a reader, a crash or a full disk never sees half of one:
// temporary file, fsync, rename, fsync of the directory.
import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  fchmodSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../errors/errors.ts';

/** A file that is written under a temporary name and not yet visible under its own. */
export interface StagedFile {
  readonly path: string;
  readonly temporaryPath: string;
  /** Makes the file visible under `path`. */
  commit(): void;
  /**
   * Removes the temporary file; harmless after {@link commit} and when the directory is
   * gone.
   */
  discard(): void;
}

/**
 * How a file is written: final `mode` bits, `durable` (fsync), an owner where the process
 * may give files away, and `locked` where the writer holds the lock of the directory:
 * whoever finds such a stray while holding the lock itself knows that its writer is dead.
 */
export interface WriteOptions {
  readonly mode: number;
  readonly durable: boolean;
  readonly locked?: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

let serial = 0;

/**
 * Who wrote a temporary file: its process, and whether that held the lock of the
 * directory.
 */
export interface TemporaryOwner {
  readonly pid: number;
  readonly locked: boolean;
}

/**
 * The name of a temporary file for `path`: hidden, and it tells of its writer, so that
 * strays of a dead one are known.
 */
export function temporaryName(path: string, locked = false): string {
  serial += 1;
  return join(
    dirname(path),
    `.${basename(path)}.${locked ? 'd' : ''}${process.pid}.${serial}.credmon-tmp`,
  );
}

/**
 * Reads the writer out of a name made by {@link temporaryName}; `undefined` for any other
 * name.
 */
export function temporaryOwner(name: string): TemporaryOwner | undefined {
  const match = /^\..+\.(d?)(\d+)\.\d+\.credmon-tmp$/.exec(name);
  return match ? { pid: Number(match[2]), locked: match[1] === 'd' } : undefined;
}

/**
 * Writes `bytes` beside `path` under a temporary name with its final mode. Nothing is
 * visible until `commit`. The directory is never created. On failure no temporary file is
 * left.
 * @throws the system's error (`ENOENT` when the directory is gone, `ENOSPC`, `EACCES`,
 * `EROFS`...).
 */
export function stageFile(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions,
): StagedFile {
  const temporaryPath = temporaryName(path, options.locked);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openExclusively(temporaryPath, flags, options.mode);
  const staged: StagedFile = {
    path,
    temporaryPath,
    commit: () => renameSync(temporaryPath, path),
    discard: () => removeIfThere(temporaryPath),
  };
  try {
    fill(descriptor, bytes, options);
  } catch (error) {
    // The disk's first complaint is the one to hear: a second one, of the removal, would
    // hide it.
    tryToDiscard(staged);
    throw error;
  }
  return staged;
}

/**
 * A stray with the same name can only be of a dead process that had our id: it is
 * removed, once.
 */
function openExclusively(path: string, flags: number, mode: number): number {
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    unlinkSync(path);
    return openSync(path, flags, mode);
  }
}

function fill(descriptor: number, bytes: Uint8Array | string, options: WriteOptions): void {
  let open = true;
  try {
    writeAll(descriptor, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    fchmodSync(descriptor, options.mode);
    if (options.owner) fchownSync(descriptor, options.owner.uid, options.owner.gid);
    if (options.durable) fsyncSync(descriptor);
    open = false;
    // A network file system may say only here that there was no room.
    closeSync(descriptor);
  } finally {
    if (open) closeSync(descriptor);
  }
}

function tryToDiscard(staged: StagedFile): void {
  try {
    staged.discard();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) offset += writeSync(descriptor, bytes, offset);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Makes renames in `directory` survive a power failure. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Replaces one file: {@link stageFile}, commit, and the directory's fsync when durable.
 */
export function writeFileAtomically(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions,
): void {
  const staged = stageFile(path, bytes, options);
  try {
    staged.commit();
  } catch (error) {
    tryToDiscard(staged);
    throw error;
  }
  if (options.durable) syncDirectory(dirname(path));
}
