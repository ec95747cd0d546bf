// What a full or broken disk refused of renewed tokens: it exists nowhere else, so it is
// written as soon as that works.
import { isCoded, messageOf } from '@credmon/core/base';
import { restOf, type CredentialStore, type TokenChange } from '@credmon/core/store';
import { splitStem } from '@credmon/core/credential';
import { deleteCommand } from '../report/remediation.ts';
import type { Report } from '../report/events.ts';
import { restoreSuccessor, type SuccessorMemory } from './successors.ts';

/** Where to write, and whom to tell. */
export interface RewriteWorld {
  readonly store: CredentialStore;
  readonly report: Report;
}

/**
 * Tries to write every change again; what is written, or overtaken by a newer login,
 * leaves `unwritten`.
 */
export function rewrite({ store, report }: RewriteWorld, memory: SuccessorMemory): void {
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
          report({ type: 'problem', text: error.message });
      } else {
        unwritten.set(id, restOf(change, error));
        report({ type: 'unwritten', id, why: messageOf(error) });
      }
    }
  }
}

/** True when a rotated refresh token is among what is still to be written. */
export function hasTop(rest: TokenChange): boolean {
  return rest.writes.some(({ kind, text }) => kind === 'top' && text !== undefined);
}

/**
 * What the end of the process means for a token whose `rest` could not be written to the
 * last: a sentence's end.
 */
export function lossOf(rest: TokenChange): string {
  if (!hasTop(rest)) return 'its rotated refresh token is safe, and the next start renews it';
  const { user, stem } = rest;
  const command = deleteCommand(splitStem(stem, false) ?? { service: stem, handle: '' });
  return `its rotated refresh token is lost: the user must log in again; fix: ${user} runs "${command}" and submits again`;
}
