// The endpoints of an issuer, from its metadata: accepted only with exactly the
// configured issuer, and cached.
import { CodedError, isCoded, metadataUrls, originOf, type Send } from '../base/index.ts';
import { bodyText } from '../base/values/json.ts';
import { parseObject } from '../credential/file-contents.ts';
import { classifyFailure, harmless } from './classify.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';

/**
 * An issuer's endpoints, to which secrets may be sent, and what it says about itself.
 * `elsewhere`: one sentence for each endpoint that was rejected because it is on another
 * server.
 * @see OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2; RFC 9207, section 3
 */
export interface IssuerMetadata {
  readonly issuer: string;
  /** The name in the metadata with `{tenantid}` in it, see {@link IssuerRules}. */
  readonly template: string | undefined;
  readonly tokenUrl: string;
  readonly authorizationUrl: string | undefined;
  readonly revocationUrl: string | undefined;
  readonly deviceUrl: string | undefined;
  /** Where the keys of ID tokens are; no secret is sent there. */
  readonly jwksUrl: string | undefined;
  /** `code_challenge_methods_supported` */
  readonly challengeMethods: readonly string[] | undefined;
  /** `token_endpoint_auth_methods_supported` */
  readonly authenticationMethods: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly grants: readonly string[] | undefined;
  /** True if each callback has the parameter `iss`. */
  readonly sendsIssuer: boolean;
  readonly elsewhere: readonly string[];
}

/**
 * Rules for one issuer, besides those of the cache. `origins`: further servers of its
 * endpoints; `tenantIssuers`: `{tenantid}` in its name stands for the tenant.
 */
export interface IssuerRules {
  readonly origins: readonly string[];
  readonly tenantIssuers: boolean;
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
   * Returns the metadata of `issuer`; `now` in epoch seconds. A failure is remembered for
   * {@link ASK_AGAIN} seconds.
   * @throws CodedError `ENDPOINT_REFUSED`, `ISSUER_MISMATCH`, `ISSUER_METADATA_INVALID`,
   * `ISSUER_UNREACHABLE`, `ISSUER_BUSY`, `ISSUER_ANSWER_INVALID`
   */
  find(send: Send, issuer: string, now: number, rules?: IssuerRules): Promise<IssuerMetadata>;
}

interface Entry {
  readonly metadata: IssuerMetadata;
  readonly askedAt: number;
  readonly until: number;
  readonly keptUntil: number;
}

interface Failure {
  readonly error: unknown;
  readonly askedAt: number;
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
  const failures = new Map<string, Failure>();
  const running = new Map<string, Promise<IssuerMetadata>>();

  const ask = async (
    key: string,
    now: number,
    fetchIt: () => Promise<IssuerMetadata>,
  ): Promise<IssuerMetadata> => {
    try {
      const metadata = await fetchIt();
      const until = now + options.lifetime;
      entries.set(key, { metadata, askedAt: now, until, keptUntil: until + KEEP });
      failures.delete(key);
      return metadata;
    } catch (error) {
      const known = entries.get(key);
      // Another issuer's name or a rejected endpoint is a response, not an outage.
      const outage = !isCoded(error, 'ISSUER_MISMATCH') && !isCoded(error, 'ENDPOINT_REFUSED');
      if (!known || !outage || now >= known.keptUntil) {
        failures.set(key, { error, askedAt: now });
        throw error;
      }
      entries.set(key, { ...known, askedAt: now, until: now + ASK_AGAIN });
      return known.metadata;
    }
  };

  return {
    find: (send, issuer, now, rules = NO_RULES) => {
      const key = JSON.stringify([issuer, rules.origins, rules.tenantIssuers]);
      const known = entries.get(key);
      // A clock that was set back must not extend the lifetime.
      if (known && now >= known.askedAt && now < known.until)
        return Promise.resolve(known.metadata);
      const failure = failures.get(key);
      if (failure && now >= failure.askedAt && now < failure.askedAt + ASK_AGAIN)
        return Promise.reject(failure.error);
      const started =
        running.get(key) ??
        ask(key, now, () => fetchMetadata(send, issuer, now, { ...options, rules })).finally(() =>
          running.delete(key),
        );
      running.set(key, started);
      return started;
    },
  };
}

const NO_RULES: IssuerRules = { origins: [], tenantIssuers: false };

async function fetchMetadata(
  send: Send,
  issuer: string,
  now: number,
  options: MetadataOptions & { readonly rules: IssuerRules },
): Promise<IssuerMetadata> {
  const { allowLoopbackHttp, rules } = options;
  const what = `the issuer ${JSON.stringify(issuer)}`;
  if (secureEndpoint(issuer, what, allowLoopbackHttp).search !== '')
    throw new CodedError('ENDPOINT_REFUSED', `${what} must not have a query`, { what });
  const document = await fetchDocument(send, issuer, now);
  const template = rules.tenantIssuers ? tenantTemplate(issuer, document['issuer']) : undefined;
  if (document['issuer'] !== issuer && template === undefined) {
    throw new CodedError(
      'ISSUER_MISMATCH',
      `issuer mismatch: configured ${JSON.stringify(issuer)}, metadata says ` +
        `${displayIssuer(document['issuer'])} (they must match exactly)`,
      { issuer },
    );
  }
  const { token_endpoint: tokenUrl } = document;
  if (typeof tokenUrl !== 'string') throw invalid(issuer, 'no token_endpoint');
  const elsewhere: string[] = [];
  const optional = (name: string): string | undefined => {
    const url = document[name];
    if (typeof url !== 'string') return undefined;
    try {
      const endpoint = endpointOf(issuer, url, name, options);
      if (typeof endpoint === 'string') return endpoint;
      elsewhere.push(endpoint.message);
    } catch (error) {
      if (!isCoded(error, 'ENDPOINT_REFUSED')) throw error;
      elsewhere.push(error.message);
    }
    return undefined;
  };
  const token = endpointOf(issuer, tokenUrl, 'token_endpoint', options);
  if (typeof token !== 'string') throw token;
  const jwksUrl = document['jwks_uri'];
  return {
    issuer,
    template,
    tokenUrl: token,
    authorizationUrl: optional('authorization_endpoint'),
    revocationUrl: optional('revocation_endpoint'),
    deviceUrl: optional('device_authorization_endpoint'),
    jwksUrl: typeof jwksUrl === 'string' ? jwksUrl : undefined,
    challengeMethods: textsIn(document['code_challenge_methods_supported']),
    authenticationMethods: textsIn(document['token_endpoint_auth_methods_supported']),
    scopes: textsIn(document['scopes_supported']),
    grants: textsIn(document['grant_types_supported']),
    sendsIssuer: document['authorization_response_iss_parameter_supported'] === true,
    elsewhere,
  };
}

function textsIn(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : undefined;
}

/** Returns the issuer's name in the metadata if only the tenant differs from `issuer`. */
function tenantTemplate(issuer: string, named: unknown): string | undefined {
  if (typeof named !== 'string') return undefined;
  const [before, after, ...more] = named.split('{tenantid}');
  if (before === undefined || after === undefined || more.length > 0) return undefined;
  const tenant =
    issuer.startsWith(before) && issuer.endsWith(after)
      ? issuer.slice(before.length, issuer.length - after.length)
      : '';
  return /^[\w.-]+$/.test(tenant) ? named : undefined;
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
  { allowLoopbackHttp, origins = [], rules }: MetadataOptions & { readonly rules: IssuerRules },
): string | CodedError {
  const what = `the ${name} in the metadata of ${originOf(issuer)}`;
  const { href, origin } = secureEndpoint(text, what, allowLoopbackHttp);
  if ([originOf(issuer), ...origins, ...rules.origins].includes(origin)) return href;
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
      `${status === 200 && !object.ok ? `document ${object.reason}` : `HTTP status ${status}`} at ${url}`,
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
