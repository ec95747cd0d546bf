// A full or broken disk: keeps disk space reserved while the daemon runs, and retries
// writes of renewed tokens that exist only in memory. And shutdown, which waits for
// renewals in progress.
import { STANDING } from '../providers/standing/ports.ts';
import type { Report } from '../report/events.ts';
import { deleteCommand, loginCommand } from '../report/remediation.ts';
import type { Settings } from '../settings/read.ts';
import type { PassContext, PassMemory } from './context.ts';
import { restoreSuccessor } from './successors.ts';
import { isCoded, messageOf } from '@credmon/core/base';
import { MAX_REFRESH_TOKEN, RESERVE_FILE, splitStem, tokenId } from '@credmon/core/credential';
import type { Log } from '@credmon/core/log';
import {
  type CredentialStore,
  type Reserve,
  SMALLEST_RESERVE,
  type TokenChange,
  restOf,
} from '@credmon/core/store';

/** Where to write and to report. */
export interface WritePorts {
  readonly store: CredentialStore;
  readonly report: Report;
}

/**
 * Retries every pending write; a change that is written, or superseded by a newer login,
 * is removed from `unwritten`.
 */
export function retryWrites(
  { store, report }: WritePorts,
  memory: Pick<PassMemory, 'successors' | 'unwritten'>,
): void {
  const { unwritten } = memory;
  for (const [id, change] of unwritten) {
    try {
      store.apply(change);
      unwritten.delete(id);
      report({ type: 'rewritten', id, renewal: change.renewal });
    } catch (error) {
      if (isCoded(error, 'CRED_SUPERSEDED')) {
        unwritten.delete(id);
        if (!restoreSuccessor({ store, report }, memory, change))
          report({ type: 'superseded', text: error.message });
      } else {
        unwritten.set(id, restOf(change, error));
        report({ type: 'unwritten', id, why: messageOf(error) });
      }
    }
  }
}

/** Seconds after which a write is reported. */
const SLOW_WRITE = 60;

/** Reports writes that hang: without it, nothing would say why their tokens expire. */
export function reportSlowWrites(report: Report, { writing }: PassMemory, now: number): void {
  for (const [token, changes] of writing)
    if ([...changes].some(({ since = now }) => now - since > SLOW_WRITE))
      report({
        type: 'problem',
        id: token,
        text: `${token}: its files are being written for more than ${SLOW_WRITE} s, the disk does not respond`,
      });
}

/** True when a rotated refresh token is among the pending writes. */
export function hasTop(pending: TokenChange): boolean {
  return pending.writes.some(({ kind, text }) => kind === 'top' && text !== undefined);
}

/**
 * Says what the end of the process means for a token with pending writes; the end of a
 * sentence. `unsure`: the writes have begun, and may still end well.
 */
export function lossOf(pending: TokenChange, unsure = false): string {
  if (!hasTop(pending)) return 'its refresh token is on disk, and the next start renews it';
  const lost = `its rotated refresh token ${unsure ? 'may be' : 'is'} lost`;
  const { user, stem } = pending;
  if (user === STANDING) return `${lost}; fix: run this as root: ${loginCommand(stem)}`;
  const command = deleteCommand(splitStem(stem, false) ?? { service: stem, handle: '' });
  return (
    `${lost}: ${unsure ? 'then ' : ''}the user must log in again; fix: ` +
    `${user} runs "${command}" and submits again`
  );
}

/** How often shutdown checks for renewals in progress, in seconds. */
export const SHUTDOWN_STEP = 0.05;
/**
 * Maximum time that one step counts, in seconds: a stalled process must not use up the
 * time of an answer that has arrived.
 */
const LONGEST_STEP = 1;

/** What shutdown needs; `graceSeconds` is how long it waits for renewals in progress. */
interface Ending {
  readonly context: PassContext;
  readonly memory: PassMemory;
  readonly log: Log;
  readonly graceSeconds: () => number;
}

/**
 * Waits for the renewals in progress, retries pending writes, and logs what is lost.
 */
export async function waitForShutdown({
  context,
  memory,
  log,
  graceSeconds,
}: Ending): Promise<void> {
  // After the lock is released, the next daemon may spend the same grant.
  context.limiter.close();
  await Promise.resolve();
  const { inFlight, late, writing } = memory;
  const started = (): string[] => [...inFlight, ...[...late].map((renewal) => renewal.id)];
  const open = (): number => {
    const ids = started();
    return ids.length + [...writing.keys()].filter((id) => !ids.includes(id)).length;
  };
  if (open() > 0) log.info(`Stopping: waiting for ${open()} renewals in progress`);
  let left = graceSeconds();
  for (let at = context.clock.steady(); open() > 0 && left > 0; at = context.clock.steady()) {
    await context.clock.wait(SHUTDOWN_STEP);
    left -= Math.min(context.clock.steady() - at, LONGEST_STEP);
  }
  for (const id of started().filter((each) => !writing.has(each)))
    log.error(`${id}: renewal still running at shutdown, abandoned; a late response will be lost`);
  for (const change of changesIn(writing))
    log.error(
      `${tokenId(change)}: still writing at shutdown, the disk does not respond; ${lossOf(change, true)}`,
    );
  // A write in this thread would hang as well.
  if (writing.size === 0) retryWrites(context, memory);
  for (const [id, rest] of memory.unwritten)
    log.error(`${id}: not written before shutdown; ${lossOf(rest)}`);
}

/** Returns the changes that are being written. */
export function changesIn(writing: PassMemory['writing']): readonly TokenChange[] {
  return [...writing.values()].flatMap((changes) => [...changes]);
}

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
