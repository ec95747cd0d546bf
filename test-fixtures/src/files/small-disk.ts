// A small file system in its own mount namespace: only programs started in it see it, and
// the mounts of the machine do not change.
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess, type Child } from '../processes/processes.ts';

const PAGE = 4096;

/** A mounted tmpfs. */
export interface SmallDisk {
  /** The mount point for programs that `start` starts. */
  readonly mountPoint: string;
  /** The same directory for this process. */
  readonly path: string;
  /**
   * Starts a command that sees the disk; the process id and exit status are those of the
   * command.
   */
  start(command: readonly string[], environment: Readonly<Record<string, string>>): Child;
  /** Fills the disk except for `pages` pages of 4096 bytes. */
  fill(pages?: number): void;
  /** Frees the space again. */
  free(): void;
  close(): Promise<void>;
}

/**
 * Mounts a tmpfs of `bytes` at `mountPoint`; needs root.
 * @throws Error if this is not possible
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

/** Writes until ENOSPC; returns the number of written bytes. */
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
