// What this test process may do: some tests need root, or a mount of their own.
import { execFileSync, spawnSync } from 'node:child_process';

/** True for root. */
export const isRoot: boolean = process.getuid?.() === 0;

/** True when this process may mount file systems: root, and not in a container that forbids it. */
export const mayMount: boolean = isRoot && spawnSync('unshare', ['--mount', 'true']).status === 0;

/** True when this process may make a network of its own, in which it is the name server. */
export const mayUnshareNetwork: boolean =
  mayMount && spawnSync('unshare', ['--mount', '--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

/** Runs `act` while a file system of 64 KiB lies over `directory`. */
export function onSmallDisk(directory: string, act: () => void): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'none', directory]);
  try {
    act();
  } finally {
    execFileSync('umount', ['--lazy', directory]);
  }
}

/** Makes the file system over `directory` read-only. */
export function makeReadOnly(directory: string): void {
  execFileSync('mount', ['-o', 'remount,ro', directory]);
}
