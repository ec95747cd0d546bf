// Why a token must not be renewed now: what its last renewal has left would be lost.
import { identityOf, sameIdentity, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { LateRenewal, PassContext, PassMemory } from './context.ts';
import { refreshTokenIn } from './successors.ts';

/** Renewals that may be answered late, and tokens whose `.top` on disk is spent. */
export interface LeftOver {
  readonly late: readonly LateRenewal[];
  readonly unrecovered: ReadonlySet<string>;
}

/** Returns the reason for a person, `undefined` for a token that may be renewed. */
export function whyBusy(
  context: PassContext,
  { unwritten }: PassMemory,
  { late, unrecovered }: LeftOver,
  token: TokenSnapshot,
): string | undefined {
  const id = tokenId(token);
  if (unwritten.has(id))
    return 'the files of its last renewal are not written yet; the daemon retries every 5 s';
  if (unrecovered.has(id))
    return 'its rotated refresh token cannot be put in place; see the log of the daemon';
  return isAnswerPending(context, late, token)
    ? 'the response to its last request may still arrive; ask again later'
    : undefined;
}

/**
 * True when a late answer for this refresh token may still arrive: it must not be sent
 * again. A newer login's may.
 */
function isAnswerPending(
  { store }: PassContext,
  late: readonly LateRenewal[],
  token: TokenSnapshot,
): boolean {
  const id = tokenId(token);
  return late.some(({ from, sent, ...one }) => {
    if (one.id !== id) return false;
    if (sameIdentity(from, identityOf(token.top))) return true;
    return sent !== undefined && refreshTokenIn(store.read(token.user, token.stem).top) === sent;
  });
}
