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

/** A file written under a temporary name, before it is visible under its own. */
export interface StagedFile {
  readonly path: string;
  readonly temporaryPath: string;
  /** Makes the file visible under `path`. */
  commit(): void;
  /**
   * Removes the temporary file. Does nothing after {@link commit} or if the directory is
   * gone.
   */
  discard(): void;
}

/**
 * How a file is written: final `mode` bits; `durable` (fsync); `owner`, if the process
 * may change owners; `locked`, if the writer holds the lock of the directory. A process
 * that holds the lock and finds a `locked` leftover knows that its writer is dead.
 */
export interface WriteOptions {
  readonly mode: number;
  readonly durable: boolean;
  readonly locked?: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

let serial = 0;

/**
 * The writer of a temporary file: its process id, and whether it held the lock of the
 * directory.
 */
export interface TemporaryOwner {
  readonly pid: number;
  readonly locked: boolean;
}

/**
 * Returns a hidden temporary name for `path`. It contains the writer's process id, so
 * that the leftovers of dead writers are recognised.
 */
export function temporaryName(path: string, locked = false): string {
  serial += 1;
  return join(
    dirname(path),
    `.${basename(path)}.${locked ? 'd' : ''}${process.pid}.${serial}.credmon-tmp`,
  );
}

/**
 * Parses a name made by {@link temporaryName}; returns `undefined` for any other name.
 */
export function temporaryOwner(name: string): TemporaryOwner | undefined {
  const match = /^\..+\.(d?)(\d+)\.\d+\.credmon-tmp$/.exec(name);
  return match ? { pid: Number(match[2]), locked: match[1] === 'd' } : undefined;
}

/**
 * Writes `bytes` beside `path` under a temporary name with its final mode. The file is
 * not visible until `commit`. Never creates the directory. Leaves no temporary file after
 * a failure.
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
    // Report the first error of the disk: an error of the removal would hide it.
    tryToDiscard(staged);
    throw error;
  }
  return staged;
}

/**
 * An existing file with the same name was left by a dead process with our process id: it
 * is removed once.
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
    // A network file system may report a full disk only on close.
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
