// Which `.top` each `.use` of this process came from: modification times cannot tell,
// because a login may have written its files first.
import { inSlices } from '../base/time/yielder.ts';
import {
  identityOf,
  sameIdentity,
  tokenId,
  type FileIdentity,
  type TokenSnapshot,
} from '../credential/snapshot.ts';

/**
 * A version of `.use` and a version of `.top`: the first was made from the second
 * (`fits`), or is known not to be.
 */
export interface Origin {
  readonly use: FileIdentity;
  readonly top: FileIdentity | undefined;
  readonly fits: boolean;
}

/** The origins of the tokens that this process wrote. */
export interface Origins {
  /** Remembers the origin of a token's `.use`; it replaces an earlier one. */
  note(token: { readonly user: string; readonly stem: string }, origin: Origin): void;
  /**
   * True when the `.use` in place is known to come from another `.top` than the one in
   * place.
   */
  isOvertaken(token: Pick<TokenSnapshot, 'user' | 'stem' | 'top' | 'use'>): boolean;
  /** Forgets tokens that are gone, when there must be some. */
  forgetGone(tokens: readonly TokenSnapshot[]): Promise<void>;
}

/** Origins of nothing yet. */
export function createOrigins(): Origins {
  const known = new Map<string, Origin>();
  return {
    note: (token, origin) => void known.set(tokenId(token), origin),
    isOvertaken: (token) => {
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
