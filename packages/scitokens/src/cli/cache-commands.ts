// The cache commands, for the key cache of `token verify`: like the key maintenance of
// the Python library.
import { CodedError, tableText } from '@credmon/core/base';
import { fetchIssuerKeys } from '../verify/discover.ts';
import { readKeySet } from '../keys/jwks.ts';
import { createKeyCache, keyCacheDirectory, type KeyCache } from '../verify/key-files.ts';
import type { Io } from './io.ts';
import { parseJsonText, readText } from './key-source.ts';
import { localTime, shownValue } from './show.ts';

function cacheOf(io: Io): KeyCache {
  return createKeyCache(keyCacheDirectory(io.environment));
}

/** `cache list`: issuers, the ids of their keys, and the time of the last fetch. */
export function cacheList({ json = false }: { readonly json?: boolean | undefined }, io: Io): void {
  const cache = cacheOf(io);
  const entries = cache.issuers().flatMap((issuer) => {
    const stored = cache.read(issuer);
    return stored === undefined
      ? []
      : [{ issuer, fetchedAt: stored.fetchedAt, kids: readKeySet(stored.document).kids }];
  });
  if (json) return io.out(`${JSON.stringify({ issuers: entries })}\n`);
  const rows = entries.map(({ issuer, fetchedAt, kids }) => [
    shownValue(issuer),
    localTime(fetchedAt),
    shownValue(kids.join(' ')),
  ]);
  io.out(`${tableText([['ISSUER', 'FETCHED', 'KEYS'], ...rows])}\n`);
}

/** `cache add`: stores the keys of a file as if the issuer had just sent them. */
export function cacheAdd(issuer: string, path: string, io: Io): void {
  const { document } = readKeySet(parseJsonText(readText(path, io), path));
  cacheOf(io).write(issuer, { document, fetchedAt: io.now() });
}

/** `cache remove`: the next token of the issuer fetches its keys again. */
export function cacheRemove(issuer: string, io: Io): void {
  const cache = cacheOf(io);
  if (cache.read(issuer) === undefined)
    throw new CodedError('TOKEN_UNKNOWN_ISSUER', `no cached keys of ${issuer}`, { issuer });
  cache.remove(issuer);
}

/** `cache update`: fetches keys of any age; keeps the old ones after a failure. */
export async function cacheUpdate(
  issuer: string | undefined,
  { insecure = false }: { readonly insecure?: boolean | undefined },
  io: Io,
): Promise<void> {
  const cache = cacheOf(io);
  for (const one of issuer === undefined ? cache.issuers() : [issuer]) {
    const { document } = await fetchIssuerKeys(one, { send: io.send, insecure });
    cache.write(one, { document, fetchedAt: io.now() });
    io.out(`${shownValue(one)}\n`);
  }
}
