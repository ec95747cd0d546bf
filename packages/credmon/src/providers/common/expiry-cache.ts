// Opaque tokens in bare files say nothing of their lifetime: what their issuer promised
// is remembered here.
import { tokenId, type TokenSnapshot, type TokenTimes } from '@credmon/core/credential';

/** The promises by token, for as long as this process lives. */
export type SilentLifetimes = Map<string, TokenTimes>;

/** So many promises are kept; the oldest go first. */
const MOST = 100_000;
/** A file is written this many seconds after its token was issued, at the latest. */
const WRITTEN_WITHIN = 60;

/** Remembers what was promised for a token. */
export function remember(promises: SilentLifetimes, token: TokenSnapshot, times: TokenTimes): void {
  const id = tokenId(token);
  promises.delete(id);
  promises.set(id, times);
  const [oldest] = promises.keys();
  if (promises.size > MOST && oldest !== undefined) promises.delete(oldest);
}

/**
 * The token with the times that were promised, where its file can tell nothing but its
 * own age. `defaultLifetime` in seconds.
 */
export function asPromised(
  promises: SilentLifetimes,
  token: TokenSnapshot,
  defaultLifetime: number,
): TokenSnapshot {
  const { use } = token;
  const times = promises.get(tokenId(token));
  if (!times || use.kind !== 'valid') return token;
  const { mtime } = use.identity;
  const silent = use.value.issuedAt === mtime && use.value.expiresAt === mtime + defaultLifetime;
  const ours = mtime >= times.issuedAt - 1 && mtime - times.issuedAt < WRITTEN_WITHIN;
  return silent && ours ? { ...token, use: { ...use, value: times } } : token;
}
