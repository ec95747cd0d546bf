// Keeps the reserve of disk space at the right size while the daemon runs, and says once what is wrong with it.
import { RESERVE_FILE, type Reserve } from '@credmon/core';
import type { Log } from '@credmon/core/log';

/** The reserve as the loop sees it. */
export interface ReserveKeeper {
  /** Makes the reserve again where it is missing or too small, in the background. Nothing waits for it. */
  readonly keep: () => void;
  /** Gives the space back to the file system. True when there was any. */
  readonly release: () => boolean;
  /** Ends when nothing is being written any more. */
  readonly idle: () => Promise<void>;
}

/** Keeps `reserve` at `bytes()`. */
export function createReserveKeeper(reserve: Reserve, bytes: () => number, log: Log): ReserveKeeper {
  let warned = false;
  let working: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const wanted = bytes();
    const kept = await reserve.keep(wanted);
    if (kept.bytes >= wanted) {
      if (warned) log.info(`Disk space for rotated refresh tokens is reserved again: ${kept.bytes} bytes`);
      warned = false;
    } else if (!warned) {
      warned = true;
      log.warn(
        `failed to reserve ${wanted} bytes in ${RESERVE_FILE} (reserved: ${kept.bytes}): ${kept.why ?? 'unknown'}; ` +
          'rotated refresh tokens can be lost if the daemon ends while the disk is full; ' +
          'fix: free space in the credential directory',
      );
    }
  };
  return {
    keep: () => {
      working ??= look()
        .catch((error: unknown) => log.error(`unexpected error with ${RESERVE_FILE}: ${String(error)}`))
        .finally(() => {
          working = undefined;
        });
    },
    release: () => {
      const isReleased = reserve.release();
      if (isReleased)
        log.warn('The disk is full: reserved space is released for rotated refresh tokens; fix: free space');
      return isReleased;
    },
    idle: async () => {
      await working;
    },
  };
}
