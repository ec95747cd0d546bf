// Rotated tokens that a full or broken disk refused: they exist nowhere else, so they are written as soon as that works.
import { isCoded, messageOf, type CredentialStore, type TokenChange } from '@credmon/core';
import type { Report } from './report.ts';

/** Where to write, and whom to tell. */
export interface RewriteWorld {
  readonly store: CredentialStore;
  readonly report: Report;
}

/** Tries to write every change again; what is written, or overtaken by a newer login, leaves `unwritten`. */
export function rewrite({ store, report }: RewriteWorld, unwritten: Map<string, TokenChange>): void {
  for (const [id, change] of unwritten) {
    try {
      store.apply(change);
      unwritten.delete(id);
      report.rewritten(id);
    } catch (error) {
      if (isCoded(error, 'CRED_SUPERSEDED')) {
        unwritten.delete(id);
        report.trouble(error.message);
      } else report.trouble(`${id}: the rotated refresh token still cannot be written: ${messageOf(error)}`);
    }
  }
}
