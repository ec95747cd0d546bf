// Finds an issuer's published keys: fetches its metadata, then the key set named in it.
import {
  bodyText,
  CodedError,
  isCoded,
  metadataUrls,
  originOf,
  type Send,
} from '@credmon/core/base';
import { isObject, type JsonObject } from '../token/compact.ts';
import { readKeySet, type KeySet } from '../keys/jwks.ts';

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
