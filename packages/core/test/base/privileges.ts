// The privileges of this test process: some tests need root or their own mount.
import { execFileSync, spawnSync } from 'node:child_process';
import { noteSkipped } from '@credmon/test-fixtures/processes/skipped';

/** True for root. */
export const isRoot: boolean = noted(
  process.getuid?.() === 0,
  'tests that need root: run as an ordinary user',
);

/**
 * True if this process may mount file systems: root, and not in a container that forbids
 * it.
 */
export const mayMount: boolean = noted(
  isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0,
  'tests that mount file systems: root is needed, and `unshare --mount` must be allowed',
);

/**
 * True if this process may create a network namespace, in which it is the name server.
 */
export const mayUnshareNetwork: boolean = noted(
  mayMount &&
    spawnSync('unshare', ['--mount', '--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0,
  'tests in a network of their own: root, `ip`, and `unshare --net` are needed',
);

/** The same result; a `false` is listed at the end of the run. */
function noted(may: boolean, reason: string): boolean {
  if (!may) noteSkipped(reason);
  return may;
}

/** Runs `act` with a file system of 64 KiB mounted on `directory`. */
export function onSmallDisk(directory: string, act: () => void): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'none', directory]);
  try {
    act();
  } finally {
    execFileSync('umount', ['--lazy', directory]);
  }
}

/** Remounts the file system on `directory` read-only. */
export function makeReadOnly(directory: string): void {
  execFileSync('mount', ['-o', 'remount,ro', directory]);
}
