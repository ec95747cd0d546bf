// A small file system of its own, in a mount namespace that only the programs started in
// it see; the machine's mounts stay as they are.
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, type Child } from '../processes/processes.ts';

const PAGE = 4096;

/** A mounted tmpfs. */
export interface SmallDisk {
  /** The mount point as programs started by `start` name it. */
  readonly mountPoint: string;
  /** The same directory for this process. */
  readonly path: string;
  /** Starts a command that sees the disk. Its process id and exit status are its own. */
  start(command: readonly string[], environment: Readonly<Record<string, string>>): Child;
  /** Writes a file until the disk is full but for `pages` pages of 4096 bytes. */
  fill(pages?: number): void;
  /** Gives the room back. */
  free(): void;
  close(): Promise<void>;
}

/**
 * Mounts a tmpfs of `bytes` at the directory `mountPoint`; needs root.
 * @throws Error when that is not possible
 */
export async function mountSmallDisk(mountPoint: string, bytes: number): Promise<SmallDisk> {
  const script = `mount -t tmpfs -o size=${bytes},mode=755 tmpfs "$1" && echo mounted && exec sleep 3600`;
  const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const namespace = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', mountPoint];
  const holder = startProcess('unshare', namespace, environment);
  try {
    await holder.printed(/mounted/);
  } catch (error) {
    await holder.stop();
    throw error;
  }
  const path = `/proc/${holder.pid}/root${mountPoint}`;
  const filler = join(path, 'filler');
  return {
    mountPoint,
    path,
    start: (command, env) =>
      startProcess('nsenter', ['--mount', '--target', String(holder.pid), '--', ...command], env),
    fill: (pages = 0) => {
      const descriptor = openSync(filler, 'w');
      try {
        ftruncateSync(descriptor, Math.max(0, writeUntilFull(descriptor) - pages * PAGE));
      } finally {
        closeSync(descriptor);
      }
    },
    free: () => rmSync(filler, { force: true }),
    close: async () => {
      await holder.stop();
    },
  };
}

/** Writes until ENOSPC; answers with the bytes that went in. */
function writeUntilFull(descriptor: number): number {
  const page = Buffer.alloc(PAGE);
  for (let bytes = 0; ;) {
    try {
      bytes += writeSync(descriptor, page);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return bytes;
      throw error;
    }
  }
}
