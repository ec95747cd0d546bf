// Retries writes of renewed tokens that failed (disk full or broken): the tokens exist
// only in memory.
import { isCoded, messageOf } from '@credmon/core/base';
import { restOf, type CredentialStore, type TokenChange } from '@credmon/core/store';
import { splitStem } from '@credmon/core/credential';
import { STANDING } from '../providers/standing/ports.ts';
import { deleteCommand, loginCommand } from '../report/remediation.ts';
import type { Report } from '../report/events.ts';
import { restoreSuccessor, type SuccessorMemory } from './successors.ts';

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
  memory: Omit<SuccessorMemory, 'writing'>,
): void {
  const { unwritten } = memory;
  for (const [id, change] of unwritten) {
    try {
      store.apply(change);
      unwritten.delete(id);
      report({ type: 'rewritten', id });
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

/** True when a rotated refresh token is among the pending writes. */
export function hasTop(pending: TokenChange): boolean {
  return pending.writes.some(({ kind, text }) => kind === 'top' && text !== undefined);
}

/**
 * Says what the end of the process means for a token with pending writes; the end of a
 * sentence.
 */
export function lossOf(pending: TokenChange): string {
  if (!hasTop(pending)) return 'its rotated refresh token is on disk, and the next start renews it';
  const { user, stem } = pending;
  if (user === STANDING)
    return `its rotated refresh token is lost; fix: run this as root: ${loginCommand(stem)}`;
  const command = deleteCommand(splitStem(stem, false) ?? { service: stem, handle: '' });
  return (
    'its rotated refresh token is lost: the user must log in again; fix: ' +
    `${user} runs "${command}" and submits again`
  );
}
