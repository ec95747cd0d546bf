// The key sets of issuers, by which ID tokens are verified: fetched from the jwks_uri,
// and cached.
import type { JSONWebKeySet } from 'jose';
import { CodedError, originOf, secureEndpoint, type Send } from '../base/index.ts';
import { bodyText } from '../base/http/decode-body.ts';
import { isRecord } from '../base/values/json.ts';
import { parseObject } from '../credential/contents.ts';
import { classifyFailure } from './classify.ts';

/** Caches key sets by URL; old keys are used while the URL cannot be read. */
export interface KeySetCache {
  /**
   * Returns the key set at `url`; `now` in epoch seconds. With `renew` it is fetched
   * again, at most once in {@link RENEW_AGAIN} seconds: a key id may be new.
   * @throws CodedError `ENDPOINT_REFUSED`, `ISSUER_UNREACHABLE`, `ISSUER_BUSY`,
   * `ISSUER_METADATA_INVALID` if there are no keys, not even old ones
   */
  find(send: Send, url: string, now: number, renew?: boolean): Promise<JSONWebKeySet>;
}

interface Entry {
  readonly keys: JSONWebKeySet;
  readonly askedAt: number;
  readonly until: number;
}

/** Seconds for which a key set is used without asking again. */
const LIFETIME = 3600;
/** Minimum seconds between two requests for the same key set. */
const RENEW_AGAIN = 60;
/** Maximum number of keys in a set, and of sets in the cache. */
const MOST_KEYS = 100;
const MOST_SETS = 1000;

/** Creates an empty cache. */
export function createKeySetCache(options: { readonly allowLoopbackHttp: boolean }): KeySetCache {
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<JSONWebKeySet>>();

  const ask = async (send: Send, url: string, now: number): Promise<JSONWebKeySet> => {
    try {
      const keys = await fetchKeys(send, url, now, options.allowLoopbackHttp);
      const [oldest] = entries.keys();
      if (entries.size >= MOST_SETS && oldest !== undefined) entries.delete(oldest);
      entries.set(url, { keys, askedAt: now, until: now + LIFETIME });
      return keys;
    } catch (error) {
      const known = entries.get(url);
      if (!known) throw error;
      entries.set(url, { ...known, askedAt: now, until: now + RENEW_AGAIN });
      return known.keys;
    }
  };

  return {
    find: (send, url, now, renew = false) => {
      const known = entries.get(url);
      // A clock that was set back must not extend the lifetime.
      const isFresh = known !== undefined && now >= known.askedAt && now < known.until;
      const mayRenew = known === undefined || now - known.askedAt >= RENEW_AGAIN;
      if (isFresh && !(renew && mayRenew)) return Promise.resolve(known.keys);
      const started = running.get(url) ?? ask(send, url, now).finally(() => running.delete(url));
      running.set(url, started);
      return started;
    },
  };
}

/** Returns the look-up of the keys at `url`, if there is one, for `verifyIdToken`. */
export function keysFrom(
  cache: KeySetCache,
  send: Send,
  url: string | undefined,
  now: number,
): ((renew: boolean) => Promise<JSONWebKeySet>) | undefined {
  return url === undefined ? undefined : (renew) => cache.find(send, url, now, renew);
}

async function fetchKeys(
  send: Send,
  url: string,
  now: number,
  allowLoopbackHttp: boolean,
): Promise<JSONWebKeySet> {
  const where = originOf(url);
  const { href } = secureEndpoint(url, `the jwks_uri of ${where}`, allowLoopbackHttp);
  const { status, headers, body } = await send({
    method: 'GET',
    url: href,
    headers: { accept: 'application/jwk-set+json, application/json' },
  });
  if (status >= 500 || status === 429)
    throw classifyFailure(where, { status, retryAfter: headers['retry-after'] }, now);
  const object = parseObject(bodyText(body));
  const keys = object.ok ? object.value['keys'] : undefined;
  const problem =
    status !== 200
      ? `HTTP status ${status}`
      : !object.ok
        ? `document ${object.reason}`
        : Array.isArray(keys)
          ? undefined
          : 'no list of keys';
  if (problem !== undefined || !Array.isArray(keys))
    throw new CodedError('ISSUER_METADATA_INVALID', `invalid key set of ${where}: ${problem}`, {
      where,
      problem,
    });
  return { keys: keys.filter(isRecord).slice(0, MOST_KEYS) };
}
