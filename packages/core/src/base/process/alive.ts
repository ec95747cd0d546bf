// Whether a process is alive.
import { systemCode } from '../errors/errors.ts';

/**
 * True for a living process, also for one of another user, which may not be signalled.
 * @see kill(2)
 */
export function isAlive(pid: number): boolean {
  // A number below 1 names a group of processes, or all of them.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * True for a living process other than this one: a file that carries our own number, but
 * that we have not just made, is of a dead process that had the number before.
 */
export function isAliveElsewhere(pid: number): boolean {
  return pid !== process.pid && isAlive(pid);
}
