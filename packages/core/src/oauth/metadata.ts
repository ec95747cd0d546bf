// Where an issuer's endpoints are: its metadata, believed only when it names exactly the
// configured issuer, and remembered.
import { CodedError, isCoded, metadataUrls, originOf, type Send } from '../base/index.ts';
import { bodyText } from '../base/http/body-text.ts';
import { parseObject } from '../credential/contents.ts';
import { classifyFailure, harmless } from './classify.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';

/**
 * An issuer's endpoints, each one where a secret may be sent. `elsewhere`: what was left
 * out because of where it lies, a sentence each.
 */
export interface IssuerMetadata {
  readonly issuer: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly deviceUrl: string | undefined;
  readonly elsewhere: readonly string[];
}

/**
 * How metadata is kept: so many seconds it counts as new; http is an exception for
 * loopback. `origins` are the servers beside the issuer's own that it may name (knob
 * CREDMON_ENDPOINT_ORIGINS).
 */
export interface MetadataOptions {
  readonly lifetime: number;
  readonly allowLoopbackHttp: boolean;
  readonly origins?: readonly string[];
}

/**
 * Remembers issuers' metadata: one request for many tokens, and the old answer through an
 * outage.
 */
export interface MetadataCache {
  /**
   * The metadata of `issuer`; `now` in epoch seconds.
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

/** So much of another issuer's name is shown. */
const LONGEST_ISSUER = 200;
/**
 * Known endpoints serve so long while the issuer's metadata cannot be had, in seconds.
 */
const KEEP = 86_400;
/** Least time between two requests while it cannot be had, in seconds. */
const ASK_AGAIN = 60;

/** A cache that knows nothing yet. */
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
      // Another issuer's name, or an endpoint that may not be used, is an answer and no
      // outage.
      const outage = !isCoded(error, 'ISSUER_MISMATCH') && !isCoded(error, 'ENDPOINT_REFUSED');
      if (!known || !outage || now >= known.keptUntil) throw error;
      entries.set(issuer, { ...known, askedAt: now, until: now + ASK_AGAIN });
      return known.metadata;
    }
  };

  return {
    find: (send, issuer, now) => {
      const known = entries.get(issuer);
      // A clock that was set back makes nothing last longer.
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
    throw new CodedError('ENDPOINT_REFUSED', `${what} has a query, which no issuer has`, { what });
  const document = await fetchDocument(send, issuer, now);
  if (document['issuer'] !== issuer) {
    throw new CodedError(
      'ISSUER_MISMATCH',
      `issuer mismatch: configured ${JSON.stringify(issuer)}, metadata says ${foreign(document['issuer'])} (they must match exactly)`,
      { issuer },
    );
  }
  const { token_endpoint: tokenUrl, revocation_endpoint: revocationUrl } = document;
  const { device_authorization_endpoint: deviceUrl } = document;
  if (typeof tokenUrl !== 'string') throw invalid(issuer, 'it names no token_endpoint');
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
 * A public URL can be shown, so that an administrator sees the slash that is too much;
 * anything else may be anything.
 */
function foreign(issuer: unknown): string {
  if (typeof issuer !== 'string') return 'none';
  const plain = /^https?:\/\/[\w.:[\]-]+(?:\/[\w.~/-]*)?$/.test(issuer);
  return JSON.stringify(plain ? issuer.slice(0, LONGEST_ISSUER) : harmless(issuer));
}

/**
 * An endpoint that the metadata names, or why no secret goes there: whoever can change
 * what an issuer publishes must not lead secrets to a server that the administrator never
 * named.
 * @throws CodedError `ENDPOINT_REFUSED` for what is not a secure URL at all
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
    `${what} lies on another server, ${origin}; if that is right, add it to CREDMON_ENDPOINT_ORIGINS`,
    { what, where: origin },
  );
}

/**
 * A bad answer at the first place is as good a reason to try the second as none; an
 * outage is the same at both.
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
      const retryAfter = headers['retry-after'];
      throw classifyFailure(
        originOf(issuer),
        { status, ...(retryAfter === undefined ? {} : { retryAfter }) },
        now,
      );
    }
    const object = parseObject(bodyText(body));
    if (status === 200 && object.ok) return object.value;
    first ??= invalid(
      issuer,
      status === 200 && !object.ok ? `it ${object.reason}` : `HTTP status ${status}`,
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
