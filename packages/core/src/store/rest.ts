// What of a change is still to be written after the disk refused a part of it.
import { isCoded } from '../base/errors/errors.ts';
import type { ErrorFields } from '../base/index.ts';
import type { FileIdentity } from '../credential/snapshot.ts';
import type { TokenChange } from './store.ts';

/**
 * How far a change got: `done` of its writes, and the version of `.top` that stands since
 * (`undefined`: none does).
 */
export interface Progress {
  readonly done: number;
  readonly from: FileIdentity | undefined;
}

/** The progress as fields of an error; {@link restOf} reads them. */
export function progressFields({ done, from }: Progress): ErrorFields {
  return {
    done,
    ...(from === undefined ? {} : { ino: from.ino, mtime: from.mtime, size: from.size }),
  };
}

/**
 * The change that is left after `apply` threw `error`: made from the `.top` that this
 * change itself has put in place.
 */
export function restOf(change: TokenChange, error: unknown): TokenChange {
  const fields: ErrorFields = isCoded(error, 'CRED_FILE_IO') ? error.fields : {};
  const { done, ino, mtime, size } = fields;
  if (typeof done !== 'number' || done === 0) return change;
  const known = typeof ino === 'number' && typeof mtime === 'number' && typeof size === 'number';
  return {
    ...change,
    from: known ? { ino, mtime, size } : undefined,
    writes: change.writes.slice(done),
  };
}
