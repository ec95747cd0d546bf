// Finds an issuer's published keys (fetches its metadata, then the key set named in it)
// and caches them: one fetch for many tokens, old keys during an outage, and a new fetch
// for an unknown key id.
import { type KeySet, readKeySet } from '../keys/jwk.ts';
import { type JsonObject, isObject } from '../token/compact.ts';
import type { KeyFinder } from './verify.ts';
import {
  CodedError,
  type Send,
  bodyText,
  isCoded,
  messageOf,
  metadataUrls,
  originOf,
} from '@credmon/core/base';

/**
 * Options of discovery: `send` limits time and size; `insecure` allows plain http for
 * issuers and key sets.
 */
export interface DiscoverOptions {
  readonly send: Send;
  readonly insecure?: boolean;
}

/**
 * Fetches the key set of an issuer. The metadata must have exactly this issuer.
 * @throws CodedError `ENDPOINT_REFUSED` for URLs that are not https,
 * `ISSUER_UNREACHABLE`, `ISSUER_MISMATCH`, `ISSUER_METADATA_INVALID`,
 * `ISSUER_ANSWER_INVALID` (too large)
 */
export async function fetchIssuerKeys(issuer: string, options: DiscoverOptions): Promise<KeySet> {
  checkUrl(issuer, 'issuer', options);
  const metadata = await fetchMetadata(issuer, options);
  const named = metadata['issuer'];
  if (named !== issuer)
    throw new CodedError(
      'ISSUER_MISMATCH',
      `issuer mismatch: the metadata of ${originOf(issuer)} has another issuer or none`,
      {
        issuer,
        named: typeof named === 'string' ? named.slice(0, 200) : undefined,
      },
    );
  const keysUrl = metadata['jwks_uri'];
  if (typeof keysUrl !== 'string') throw invalid(issuer, 'metadata has no jwks_uri');
  checkUrl(keysUrl, 'jwks_uri', options);
  return readKeySet(await fetchObject(keysUrl, options));
}

/** Tries the second URL after any failure of the first one. */
async function fetchMetadata(issuer: string, options: DiscoverOptions): Promise<JsonObject> {
  let first: unknown;
  for (const url of metadataUrls(issuer)) {
    try {
      return await fetchObject(url, options);
    } catch (error) {
      if (!isCoded(error)) throw error;
      first ??= error;
    }
  }
  throw first;
}

function checkUrl(url: string, name: string, { insecure = false }: DiscoverOptions): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const secure = parsed?.protocol === 'https:' || (insecure && parsed?.protocol === 'http:');
  const plain = parsed?.username === '' && parsed.password === '' && parsed.hash === '';
  if (!secure || !plain || (name === 'issuer' && parsed?.search !== ''))
    throw new CodedError(
      'ENDPOINT_REFUSED',
      `the ${name} ${JSON.stringify(url.slice(0, 200))} is not a plain https URL`,
      {
        [name]: url.slice(0, 200),
      },
    );
}

async function fetchObject(url: string, { send }: DiscoverOptions): Promise<JsonObject> {
  const { status, body } = await send({
    method: 'GET',
    url,
    headers: { accept: 'application/json' },
  });
  if (status >= 500 || status === 429)
    throw new CodedError('ISSUER_UNREACHABLE', `${originOf(url)} returned HTTP status ${status}`, {
      status,
    });
  if (status !== 200) throw invalid(url, `HTTP status ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(bodyText(body));
  } catch (error) {
    throw invalid(url, 'response is not JSON', error);
  }
  if (!isObject(value)) throw invalid(url, 'response is not a JSON object');
  return value;
}

function invalid(url: string, problem: string, cause?: unknown): CodedError {
  const where = originOf(url);
  return new CodedError(
    'ISSUER_METADATA_INVALID',
    `${where}: ${problem}`,
    { where, problem },
    cause,
  );
}

/** The cached keys of one issuer; times are epoch seconds. */
export interface StoredKeys {
  readonly document: unknown;
  readonly fetchedAt: number;
}

/**
 * A persistent store; see `createKeyCache`. It throws on failures, which cost only speed.
 */
export interface KeyStore {
  read(issuer: string): StoredKeys | undefined;
  write(issuer: string, keys: StoredKeys): void;
}

/** The lifetimes of cached keys, in seconds. The defaults are those of scitokens-cpp. */
export interface IssuerKeysOptions extends DiscoverOptions {
  /** Fetch again after this time; default 600. */
  readonly refreshAfter?: number;
  /**
   * Use the keys so long while the issuer is not reachable; default 345600 (four days).
   */
  readonly keepFor?: number;
  /** The minimum time between two requests to one issuer; default 60. */
  readonly retryAfter?: number;
  /** The maximum number of cached issuers; default 1000. */
  readonly maxIssuers?: number;
  readonly store?: KeyStore | undefined;
  /** Called with failures that old keys make up for, and with those of the store. */
  readonly onProblem?: (issuer: string, error: unknown) => void;
}

interface Entry {
  keys?: KeySet;
  fetchedAt: number;
  attemptedAt: number;
  failure?: unknown;
}

const DEFAULTS = { refreshAfter: 600, keepFor: 4 * 86400, retryAfter: 60, maxIssuers: 1000 };

/**
 * Creates a {@link KeyFinder} that discovers, caches and refreshes the keys of issuers.
 */
export function createIssuerKeys(options: IssuerKeysOptions): KeyFinder {
  const settings = { ...DEFAULTS, ...options };
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<Entry>>();

  const refresh = (issuer: string, known: Entry | undefined, now: number): Promise<Entry> => {
    const started =
      running.get(issuer) ??
      fetchEntry(issuer, known, now, options).finally(() => {
        running.delete(issuer);
      });
    running.set(issuer, started);
    return started.then((entry) => remember(entries, issuer, entry, settings.maxIssuers));
  };

  return {
    async find(issuer, kid, now) {
      let entry = entries.get(issuer);
      if (!isFresh(entry, now, settings)) {
        entry = newer(entry, readStored(issuer, now, options));
        if (!isFresh(entry, now, settings) && mayAsk(entry, now, settings.retryAfter))
          entry = await refresh(issuer, entry, now);
        else if (entry !== undefined) remember(entries, issuer, entry, settings.maxIssuers);
      }
      const keys = usableKeys(issuer, entry, now, settings.keepFor);
      try {
        return keys.select(kid);
      } catch (error) {
        if (!isCoded(error, 'TOKEN_UNKNOWN_KEY') || !mayAsk(entry, now, settings.retryAfter))
          throw error;
        return usableKeys(issuer, await refresh(issuer, entry, now), now, settings.keepFor).select(
          kid,
        );
      }
    },
  };
}

function isFresh(
  entry: Entry | undefined,
  now: number,
  { refreshAfter }: { refreshAfter: number },
): boolean {
  return (
    entry?.keys !== undefined && now >= entry.fetchedAt && now < entry.fetchedAt + refreshAfter
  );
}

/** A clock that was set back does not prevent requests. */
function mayAsk(entry: Entry | undefined, now: number, retryAfter: number): boolean {
  return entry === undefined || now < entry.attemptedAt || now >= entry.attemptedAt + retryAfter;
}

function newer(one: Entry | undefined, other: Entry | undefined): Entry | undefined {
  return one === undefined || (other !== undefined && other.fetchedAt > one.fetchedAt)
    ? other
    : one;
}

function remember(entries: Map<string, Entry>, issuer: string, entry: Entry, limit: number): Entry {
  entries.delete(issuer);
  entries.set(issuer, entry);
  const [oldest] = entries.keys();
  if (entries.size > limit && oldest !== undefined) entries.delete(oldest);
  return entry;
}

function usableKeys(
  issuer: string,
  entry: Entry | undefined,
  now: number,
  keepFor: number,
): KeySet {
  if (entry?.keys !== undefined && now < entry.fetchedAt + keepFor) return entry.keys;
  if (isCoded(entry?.failure)) throw entry.failure;
  const why = entry?.failure === undefined ? 'not fetched yet' : messageOf(entry.failure);
  throw new CodedError(
    'ISSUER_UNREACHABLE',
    `no keys of ${issuer.slice(0, 200)}: ${why}`,
    {},
    entry?.failure,
  );
}

async function fetchEntry(
  issuer: string,
  known: Entry | undefined,
  now: number,
  options: IssuerKeysOptions,
): Promise<Entry> {
  try {
    const keys = await fetchIssuerKeys(issuer, options);
    try {
      options.store?.write(issuer, { document: keys.document, fetchedAt: now });
    } catch (error) {
      options.onProblem?.(issuer, error);
    }
    return { keys, fetchedAt: now, attemptedAt: now };
  } catch (failure) {
    if (known?.keys !== undefined) options.onProblem?.(issuer, failure);
    return { fetchedAt: 0, ...known, attemptedAt: now, failure };
  }
}

function readStored(
  issuer: string,
  now: number,
  { store, onProblem }: IssuerKeysOptions,
): Entry | undefined {
  try {
    const stored = store?.read(issuer);
    if (stored === undefined || stored.fetchedAt > now) return undefined;
    return {
      keys: readKeySet(stored.document),
      fetchedAt: stored.fetchedAt,
      attemptedAt: stored.fetchedAt,
    };
  } catch (error) {
    onProblem?.(issuer, error);
    return undefined;
  }
}
