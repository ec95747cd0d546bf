// Keeps the reserved disk space at the right size while the daemon runs; logs problems
// once.
import { RESERVE_FILE, MAX_REFRESH_TOKEN } from '@credmon/core/credential';
import { type Reserve, SMALLEST_RESERVE } from '@credmon/core/store';
import type { Log } from '@credmon/core/log';
import type { Settings } from '../settings/read.ts';

/** The reserve, as the loop uses it. */
export interface ReserveKeeper {
  /** Restores the reserve in the background if it is missing or too small. */
  readonly keep: () => void;
  /** Releases the space to the file system. True when there was any. */
  readonly release: () => boolean;
  /** Resolves when nothing is being written any more. */
  readonly idle: () => Promise<void>;
}

/** Creates a keeper that keeps `reserve` at `bytes()`. */
export function createReserveKeeper(
  reserve: Reserve,
  bytes: () => number,
  log: Log,
): ReserveKeeper {
  let warned = false;
  let working: Promise<void> | undefined;
  const check = async (): Promise<void> => {
    const wanted = bytes();
    const kept = await reserve.keep(wanted);
    if (kept.bytes >= wanted) {
      if (warned)
        log.info(`Disk space for rotated refresh tokens is reserved again: ${kept.bytes} bytes`);
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
      working ??= check()
        .catch((error: unknown) =>
          log.error(`unexpected error with ${RESERVE_FILE}: ${String(error)}`),
        )
        .finally(() => {
          working = undefined;
        });
    },
    release: () => {
      const isReleased = reserve.release();
      if (isReleased)
        log.warn(
          'The disk is full: reserved space is released for rotated refresh tokens; fix: free space',
        );
      return isReleased;
    },
    idle: async () => {
      await working;
    },
  };
}

/** File system block, in bytes. */
const BLOCK = 4096;
/**
 * Bytes of `.top` besides the refresh token: scopes, audience, and what other programs
 * store there.
 */
const BESIDE_TOKEN = 4096;
/** Maximum number of renewals counted, however many issuers are configured. */
const MOST_RENEWALS = 1024;

/**
 * Returns the bytes to reserve: for each renewal that may run at an issuer that may
 * rotate refresh tokens (those of the settings, and the token URLs `metaUrls` of the
 * `.meta` files found), the blocks of a `.top` with the longest refresh token, plus one
 * block for its inode; at least {@link SMALLEST_RESERVE}.
 */
export function reserveBytes(
  {
    perIssuer,
    clients,
    tokenClients,
    tokenPrograms,
  }: Pick<Settings, 'perIssuer' | 'clients' | 'tokenClients' | 'tokenPrograms'>,
  metaUrls: ReadonlySet<string>,
): number {
  const loginUrls = new Set([
    ...[...clients.values()].map(({ tokenUrl }) => tokenUrl),
    ...metaUrls,
  ]);
  const issuers = Math.max(1, loginUrls.size + tokenClients.length + tokenPrograms.length);
  const renewals = Math.min(issuers * perIssuer, MOST_RENEWALS);
  const blocks = Math.ceil((MAX_REFRESH_TOKEN + BESIDE_TOKEN) / BLOCK) + 1;
  return Math.max(SMALLEST_RESERVE, renewals * blocks * BLOCK);
}
