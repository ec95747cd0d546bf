// The progress of changes: the `.top` from which each `.use` of this process was made
// (modification times are not sufficient, because a login may have written its files
// earlier), and what remains to be written after a disk error.
import { inSlices } from '../base/time/yielder.ts';
import {
  identityOf,
  sameIdentity,
  tokenId,
  type FileIdentity,
  type TokenSnapshot,
} from '../credential/snapshot.ts';
import { isCoded } from '../base/errors/errors.ts';
import type { ErrorFields } from '../base/index.ts';
import type { CredentialStore, TokenChange } from './store.ts';

/**
 * A version of `.use` and a version of `.top`: `fits` if the first was made from the
 * second.
 */
interface Origin {
  readonly use: FileIdentity;
  readonly top: FileIdentity | undefined;
  readonly fits: boolean;
}

/** The origins of the tokens that this process wrote. */
export interface Origins {
  /** Records the origin of a token's `.use`; replaces an earlier one. */
  note(token: { readonly user: string; readonly stem: string }, origin: Origin): void;
  /**
   * True if the current `.use` is known to come from another `.top` than the current one.
   */
  isOvertaken(token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>): boolean;
  /** Forgets tokens that are gone, if there can be any. */
  forgetGone(tokens: readonly TokenSnapshot[]): Promise<void>;
}

/** Creates an empty record. */
export function createOrigins(): Origins {
  const known = new Map<string, Origin>();
  return {
    note: (token, origin) => void known.set(tokenId(token), origin),
    isOvertaken: (token) => {
      if (known.size === 0) return false;
      const origin = known.get(tokenId(token));
      if (!origin || !sameIdentity(origin.use, identityOf(token.use))) return false;
      return sameIdentity(origin.top, identityOf(token.top)) !== origin.fits;
    },
    forgetGone: async (tokens) => {
      if (known.size <= tokens.length) return;
      const there = new Set<string>();
      await inSlices(tokens, (token) => there.add(tokenId(token)));
      for (const id of known.keys()) if (!there.has(id)) known.delete(id);
    },
  };
}

// The remaining writes of a change after a disk error.

/**
 * The progress of a change: the number `done` of its writes, and the version of `.top`
 * since then (`undefined`: none). `unsynced`: a file is visible, and its directory could
 * not be synced.
 */
export interface Progress {
  readonly done: number;
  readonly from: FileIdentity | undefined;
  readonly unsynced?: true | undefined;
}

/** Returns the progress as fields of an error; {@link restOf} reads them. */
export function progressFields({ done, from, unsynced }: Progress): ErrorFields {
  return { done, ino: from?.ino, mtime: from?.mtime, size: from?.size, unsynced };
}

/**
 * Returns the remaining change after `apply` threw `error`: made from the `.top` that
 * this change itself has written.
 */
export function restOf<T extends TokenChange>(change: T, error: unknown): T {
  const fields: ErrorFields = isCoded(error, 'CRED_FILE_IO') ? error.fields : {};
  const { done, ino, mtime, size, unsynced } = fields;
  if (typeof done !== 'number' || done === 0) return change;
  const known = typeof ino === 'number' && typeof mtime === 'number' && typeof size === 'number';
  return {
    ...change,
    from: known ? { ino, mtime, size } : undefined,
    writes: change.writes.slice(done),
    ...(unsynced === true ? { unsynced } : {}),
  };
}

/**
 * Returns the version of `.top` that a change has left; `undefined` when it is missing or
 * was replaced since.
 */
export function topAfter(
  { read }: Pick<CredentialStore, 'read'>,
  { user, stem, from, writes }: TokenChange,
): FileIdentity | undefined {
  const { top, topIdentity } = read(user, stem);
  const written = writes.find(({ kind }) => kind === 'top')?.text;
  const isOurs =
    written === undefined ? sameIdentity(topIdentity, from) : top.ok && top.value === written;
  return isOurs ? topIdentity : undefined;
}
