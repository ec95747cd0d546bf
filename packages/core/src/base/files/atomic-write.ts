// Replaces files so that a reader, a crash or a full disk never sees half of one:
// temporary file, fsync, rename, fsync of the directory.
import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  fchmodSync,
  linkSync,
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

/** A staged file that is still open, so that its contents can be synced with others'. */
export interface OpenStagedFile extends StagedFile {
  readonly descriptor: number;
  /** @throws the system's error: a network file system may report a full disk only here */
  close(): void;
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

/** The names of the temporary files that this process is writing. */
const beingWritten = new Set<string>();

/**
 * True for the name of a temporary file that this process is writing: it is not a
 * leftover.
 */
export function isBeingWritten(name: string): boolean {
  return beingWritten.has(name);
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
  const staged = openStaged(path, bytes, options);
  try {
    try {
      if (options.durable) fsyncSync(staged.descriptor);
    } catch (error) {
      closeSync(staged.descriptor);
      throw error;
    }
    staged.close();
  } catch (error) {
    // Report the first error of the disk: an error of the removal would hide it.
    tryToDiscard(staged);
    throw error;
  }
  return staged;
}

/**
 * Stages a file like {@link stageFile}, but neither syncs nor closes it: that is up to
 * the caller, before `commit`.
 * @throws the system's error
 */
export function openStaged(
  path: string,
  bytes: Uint8Array | string,
  options: WriteOptions,
): OpenStagedFile {
  const temporaryPath = temporaryName(path, options.locked);
  const name = basename(temporaryPath);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openExclusively(temporaryPath, flags, options.mode);
  beingWritten.add(name);
  const staged: OpenStagedFile = {
    path,
    temporaryPath,
    descriptor,
    close: () => closeSync(descriptor),
    commit: () => {
      renameSync(temporaryPath, path);
      beingWritten.delete(name);
    },
    discard: () => {
      beingWritten.delete(name);
      removeIfThere(temporaryPath);
    },
  };
  try {
    fill(descriptor, bytes, options);
  } catch (error) {
    closeSync(descriptor);
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
  writeAll(descriptor, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  fchmodSync(descriptor, options.mode);
  if (options.owner) fchownSync(descriptor, options.owner.uid, options.owner.gid);
}

/** What link(2) returns on a file system without hard links. */
const LACKS_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/**
 * Makes a staged file visible under its name, if no file has that name; the caller discards
 * it. Without hard links the new file is empty for a moment.
 * @throws the system's error: `EEXIST` when another process has made the file
 */
export function commitNew(staged: StagedFile): void {
  try {
    linkSync(staged.temporaryPath, staged.path);
  } catch (error) {
    if (!LACKS_LINKS.includes(systemCode(error) ?? '')) throw error;
    // Whoever makes the name first, has it.
    closeSync(openSync(staged.path, 'wx', 0o600));
    staged.commit();
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

/** @throws the system's error, except for a missing file */
export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Opens a directory so that it can be synced. */
export function openForSync(directory: string): number {
  return openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** Makes renames in `directory` survive a power failure. */
export function syncDirectory(directory: string): void {
  const descriptor = openForSync(directory);
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
