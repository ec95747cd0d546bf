// A unix socket that a killed process left behind stands in the way of the next one.
import { lstatSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { systemCode } from './errors.ts';

/** Removes the socket at `path` when no process listens on it; anything else there stays. @throws the system's error when it cannot be removed */
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
