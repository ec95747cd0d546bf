// Remembers the lifetimes of opaque tokens in bare files, which do not contain them.
import { tokenId, type TokenSnapshot, type TokenTimes } from '@credmon/core/credential';

/** Lifetimes by token, for the life of this process. */
export type ExpiryCache = Map<string, TokenTimes>;

/** Maximum number of entries; the oldest are dropped first. */
const MOST = 100_000;
/** Maximum seconds between a token's issue and the write of its file. */
const WRITTEN_WITHIN = 60;

/** Remembers the lifetime of a token. */
export function remember(expiryCache: ExpiryCache, token: TokenSnapshot, times: TokenTimes): void {
  const id = tokenId(token);
  expiryCache.delete(id);
  expiryCache.set(id, times);
  const [oldest] = expiryCache.keys();
  if (expiryCache.size > MOST && oldest !== undefined) expiryCache.delete(oldest);
}

/**
 * Returns the token with the remembered times if its file shows only its age.
 * `defaultLifetime` in seconds.
 */
export function withKnownTimes(
  expiryCache: ExpiryCache,
  token: TokenSnapshot,
  defaultLifetime: number,
): TokenSnapshot {
  const { use } = token;
  const times = expiryCache.get(tokenId(token));
  if (!times || use.kind !== 'valid') return token;
  const { mtime } = use.identity;
  const silent = use.value.issuedAt === mtime && use.value.expiresAt === mtime + defaultLifetime;
  const ours = mtime >= times.issuedAt - 1 && mtime - times.issuedAt < WRITTEN_WITHIN;
  return silent && ours ? { ...token, use: { ...use, value: times } } : token;
}
