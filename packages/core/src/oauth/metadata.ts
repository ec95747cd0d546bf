// The endpoints of an issuer, from its metadata: accepted only with exactly the
// configured issuer, and cached.
import { CodedError, isCoded, metadataUrls, originOf, type Send } from '../base/index.ts';
import { bodyText } from '../base/http/decode-body.ts';
import { parseObject } from '../credential/contents.ts';
import { classifyFailure, harmless } from './classify.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';

/**
 * An issuer's endpoints; secrets may be sent to each. `elsewhere`: one sentence for each
 * endpoint that was rejected because it is on another server.
 */
export interface IssuerMetadata {
  readonly issuer: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly deviceUrl: string | undefined;
  readonly elsewhere: readonly string[];
}

/**
 * Options of the cache. `lifetime` in seconds; `origins` are the allowed servers besides
 * the issuer's own (knob CREDMON_ENDPOINT_ORIGINS).
 */
export interface MetadataOptions {
  readonly lifetime: number;
  readonly allowLoopbackHttp: boolean;
  readonly origins?: readonly string[];
}

/**
 * Caches issuers' metadata: one request for many tokens; old metadata is used during an
 * outage.
 */
export interface MetadataCache {
  /**
   * Returns the metadata of `issuer`; `now` in epoch seconds.
   * @throws CodedError `ENDPOINT_REFUSED`, `ISSUER_MISMATCH`, `ISSUER_METADATA_INVALID`,
   * `ISSUER_UNREACHABLE`, `ISSUER_BUSY`, `ISSUER_ANSWER_INVALID`
   */
  find(send: Send, issuer: string, now: number): Promise<IssuerMetadata>;
}

interface Entry {
  readonly metadata: IssuerMetadata;
  readonly askedAt: number;
  readonly until: number;
  readonly keptUntil: number;
}

/** The maximum length of another issuer's name in messages, in characters. */
const LONGEST_ISSUER = 200;
/** Seconds for which known endpoints are used while the metadata is not available. */
const KEEP = 86_400;
/** Minimum seconds between two requests while the metadata is not available. */
const ASK_AGAIN = 60;

/** Creates an empty cache. */
export function createMetadataCache(options: MetadataOptions): MetadataCache {
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<IssuerMetadata>>();

  const ask = async (send: Send, issuer: string, now: number): Promise<IssuerMetadata> => {
    try {
      const metadata = await fetchMetadata(send, issuer, now, options);
      const until = now + options.lifetime;
      entries.set(issuer, { metadata, askedAt: now, until, keptUntil: until + KEEP });
      return metadata;
    } catch (error) {
      const known = entries.get(issuer);
      // Another issuer's name or a rejected endpoint is a response, not an outage.
      const outage = !isCoded(error, 'ISSUER_MISMATCH') && !isCoded(error, 'ENDPOINT_REFUSED');
      if (!known || !outage || now >= known.keptUntil) throw error;
      entries.set(issuer, { ...known, askedAt: now, until: now + ASK_AGAIN });
      return known.metadata;
    }
  };

  return {
    find: (send, issuer, now) => {
      const known = entries.get(issuer);
      // A clock that was set back must not extend the lifetime.
      if (known && now >= known.askedAt && now < known.until)
        return Promise.resolve(known.metadata);
      const started =
        running.get(issuer) ?? ask(send, issuer, now).finally(() => running.delete(issuer));
      running.set(issuer, started);
      return started;
    },
  };
}

async function fetchMetadata(
  send: Send,
  issuer: string,
  now: number,
  options: MetadataOptions,
): Promise<IssuerMetadata> {
  const { allowLoopbackHttp } = options;
  const what = `the issuer ${JSON.stringify(issuer)}`;
  if (secureEndpoint(issuer, what, allowLoopbackHttp).search !== '')
    throw new CodedError('ENDPOINT_REFUSED', `${what} must not have a query`, { what });
  const document = await fetchDocument(send, issuer, now);
  if (document['issuer'] !== issuer) {
    throw new CodedError(
      'ISSUER_MISMATCH',
      `issuer mismatch: configured ${JSON.stringify(issuer)}, metadata says ` +
        `${displayIssuer(document['issuer'])} (they must match exactly)`,
      { issuer },
    );
  }
  const { token_endpoint: tokenUrl, revocation_endpoint: revocationUrl } = document;
  const { device_authorization_endpoint: deviceUrl } = document;
  if (typeof tokenUrl !== 'string') throw invalid(issuer, 'no token_endpoint');
  const elsewhere: string[] = [];
  const optional = (url: unknown, name: string): string | undefined => {
    if (typeof url !== 'string') return undefined;
    const endpoint = endpointOf(issuer, url, name, options);
    if (typeof endpoint === 'string') return endpoint;
    elsewhere.push(endpoint.message);
    return undefined;
  };
  const token = endpointOf(issuer, tokenUrl, 'token_endpoint', options);
  if (typeof token !== 'string') throw token;
  return {
    issuer,
    tokenUrl: token,
    revocationUrl: optional(revocationUrl, 'revocation_endpoint'),
    deviceUrl: optional(deviceUrl, 'device_authorization_endpoint'),
    elsewhere,
  };
}

/**
 * Shows a public URL, so that an administrator sees a superfluous slash; redacts anything
 * else.
 */
function displayIssuer(issuer: unknown): string {
  if (typeof issuer !== 'string') return 'none';
  const plain = /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~/-]*)?$/.test(issuer);
  return JSON.stringify(plain ? issuer.slice(0, LONGEST_ISSUER) : harmless(issuer));
}

/**
 * Returns an endpoint from the metadata, or the reason why secrets are not sent to it. A
 * modified metadata document must not redirect secrets to a server that the administrator
 * did not configure.
 * @throws CodedError `ENDPOINT_REFUSED` if it is not a secure URL
 */
function endpointOf(
  issuer: string,
  text: string,
  name: string,
  { allowLoopbackHttp, origins = [] }: MetadataOptions,
): string | CodedError {
  const what = `the ${name} in the metadata of ${originOf(issuer)}`;
  const { href, origin } = secureEndpoint(text, what, allowLoopbackHttp);
  if (origin === originOf(issuer) || origins.includes(origin)) return href;
  return new CodedError(
    'ENDPOINT_REFUSED',
    `${what} is on another server (${origin}); if it is correct, add the origin to CREDMON_ENDPOINT_ORIGINS`,
    { what, where: origin },
  );
}

/**
 * Tries the second URL after any invalid response from the first one; an outage affects
 * both.
 */
async function fetchDocument(
  send: Send,
  issuer: string,
  now: number,
): Promise<Record<string, unknown>> {
  let first: unknown;
  for (const url of metadataUrls(issuer)) {
    const { status, headers, body } = await send({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
    });
    if (status >= 500 || status === 429) {
      throw classifyFailure(originOf(issuer), { status, retryAfter: headers['retry-after'] }, now);
    }
    const object = parseObject(bodyText(body));
    if (status === 200 && object.ok) return object.value;
    first ??= invalid(
      issuer,
      status === 200 && !object.ok ? `document ${object.reason}` : `HTTP status ${status}`,
    );
  }
  throw first;
}

function invalid(issuer: string, problem: string): CodedError {
  const where = originOf(issuer);
  return new CodedError('ISSUER_METADATA_INVALID', `invalid metadata of ${where}: ${problem}`, {
    where,
    problem,
  });
}
