// Unix sockets in the file system: created with their final mode, and removed when a
// killed process left them.
import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { systemCode } from '../errors/errors.ts';

/**
 * Removes the socket at `path` if no process listens on it. Other files are not removed.
 * @throws the system's error when it cannot be removed
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const dead = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve(systemCode(error) === 'ECONNREFUSED'));
  });
  if (dead) unlinkSync(path);
}

/**
 * Runs `listen`, which creates a socket before it returns, so that the socket has at most
 * the permission bits `mode` from the start.
 */
export function makeSocket<T>(mode: number, listen: () => T): T {
  const before = process.umask(0o777 & ~mode);
  try {
    return listen();
  } finally {
    process.umask(before);
  }
}
