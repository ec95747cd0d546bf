// Retries writes of renewed tokens that failed (disk full or broken): the tokens exist
// only in memory. And shutdown, which waits for renewals in progress.
import { isCoded, messageOf } from '@credmon/core/base';
import { restOf, type CredentialStore, type TokenChange } from '@credmon/core/store';
import { splitStem, tokenId } from '@credmon/core/credential';
import type { Log } from '@credmon/core/log';
import { STANDING } from '../providers/standing/ports.ts';
import { deleteCommand, loginCommand } from '../report/remediation.ts';
import type { Report } from '../report/events.ts';
import type { PassContext, PassMemory } from './context.ts';
import { restoreSuccessor } from './successors.ts';

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
