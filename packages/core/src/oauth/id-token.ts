// The ID token of a login: its signature and its claims are verified. At a refresh only
// issuer and subject are compared. The key sets are fetched from the jwks_uri of the issuer,
// and cached.
import { bodyText, isRecord } from '../base/values/json.ts';
import { CodedError, type Send, jwtClaims, originOf, secureEndpoint } from '../base/index.ts';
import { parseObject } from '../credential/file-contents.ts';
import type { IdentityClaims } from '../credential/token-response.ts';
import { classifyFailure } from './classify.ts';
import type { CompactVerifyResult, CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import { createHash, timingSafeEqual } from 'node:crypto';

/** Accepted signature algorithms: not `none`, nothing symmetric. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Tolerated difference of the clocks, in seconds. */
const TOLERANCE = 60;
/** Maximum age of an ID token in seconds: it is verified right after its issue. */
const OLDEST = 3600;
/** @see OpenID Connect Core 1.0, section 2, claim `sub` */
const LONGEST_SUBJECT = 255;

/** The names by which an issuer may call itself. */
export interface IssuerNames {
  readonly issuer: string;
  readonly aliases: readonly string[];
  /** A name in which `{tenantid}` stands for the claim `tid` of the ID token. */
  readonly template?: string | undefined;
}

/**
 * What an ID token is verified against. `keys` returns the issuer's key set, again from
 * the issuer with `renew`; `nonce` is that of the authorization request; `now` in epoch
 * seconds.
 */
export interface IdTokenChecks {
  readonly provider: string;
  readonly names: IssuerNames;
  readonly clientId: string;
  readonly nonce: string | undefined;
  readonly accessToken: string;
  readonly now: number;
  readonly keys: (renew: boolean) => Promise<JSONWebKeySet>;
}

/**
 * Verifies an ID token and returns its claims.
 * @throws CodedError `ISSUER_MISMATCH` if it names another issuer, `ISSUER_ANSWER_INVALID`
 * if anything else is wrong, and the errors of `keys`
 * @see OpenID Connect Core 1.0, sections 2 and 3.1.3.7; RFC 8725, section 3.1
 */
export async function verifyIdToken(
  idToken: unknown,
  checks: IdTokenChecks,
): Promise<IdentityClaims> {
  if (typeof idToken !== 'string') throw refused(checks, 'it is not a text');
  if (idToken.split('.').length !== 3) throw refused(checks, 'it is not a signed JWT');
  const { header, claims } = await verified(idToken, checks);
  const { iss } = claims;
  if (typeof iss !== 'string' || !isIssuer(checks.names, iss, claims)) throw mismatch(checks);
  const problem = claimProblem(claims, checks) ?? hashProblem(header, claims, checks);
  if (problem !== undefined) throw refused(checks, problem);
  return claims as IdentityClaims;
}

/**
 * Returns why the ID token of a refresh is of another issuer or user; `undefined` if it
 * is not, or if it cannot be read: it is not verified.
 * @see OpenID Connect Core 1.0, section 12.2
 */
export function identityChange(
  idToken: unknown,
  names: IssuerNames | undefined,
  subject: string | undefined,
): string | undefined {
  const claims = typeof idToken === 'string' ? jwtClaims(idToken) : undefined;
  if (!claims) return undefined;
  const { iss, sub } = claims;
  if (names && typeof iss === 'string' && !isIssuer(names, iss, claims))
    return 'the ID token of the refresh names another issuer';
  if (subject !== undefined && typeof sub === 'string' && sub !== subject)
    return 'the ID token of the refresh names another user than the login';
  return undefined;
}

/** True if `name` is a name of the issuer. `claims` are those of the same token. */
export function isIssuer(
  { issuer, aliases, template }: IssuerNames,
  name: string,
  claims: Readonly<Record<string, unknown>> = {},
): boolean {
  if (name === issuer || aliases.includes(name)) return true;
  const tenant = claims['tid'];
  return (
    template !== undefined &&
    typeof tenant === 'string' &&
    /^[\w-]{1,64}$/.test(tenant) &&
    name === template.replace('{tenantid}', tenant)
  );
}

interface Verified {
  readonly header: JWSHeaderParameters;
  readonly claims: Readonly<Record<string, unknown>>;
}

async function verified(idToken: string, checks: IdTokenChecks): Promise<Verified> {
  const jose = await import('jose');
  const verify = async (keys: JSONWebKeySet): Promise<CompactVerifyResult> => {
    const select = jose.createLocalJWKSet(keys);
    try {
      return await jose.compactVerify(idToken, select, { algorithms: ALGORITHMS });
    } catch (error) {
      if (error instanceof jose.errors.JWKSMultipleMatchingKeys)
        return await firstMatch(error, (key) =>
          jose.compactVerify(idToken, key, { algorithms: ALGORITHMS }),
        );
      throw error;
    }
  };
  const read = ({ payload, protectedHeader }: CompactVerifyResult): Verified => {
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    if (!isRecord(claims)) throw new TypeError('claims');
    return { header: protectedHeader, claims };
  };
  try {
    const keys = await checks.keys(false);
    try {
      return read(await verify(keys));
    } catch (error) {
      // The issuer may have a new key.
      if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error;
      return read(await verify(await checks.keys(true)));
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw refused(checks, joseProblem(error, jose.errors));
  }
}

/** A token without a key id may be signed by any of several keys. */
async function firstMatch(
  keys: AsyncIterable<CryptoKey>,
  verify: (key: CryptoKey) => Promise<CompactVerifyResult>,
): Promise<CompactVerifyResult> {
  let last: unknown;
  for await (const key of keys) {
    try {
      return await verify(key);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function joseProblem(error: unknown, errors: typeof import('jose').errors): string {
  if (error instanceof errors.JWKSNoMatchingKey)
    return 'its key is not in the key set of the issuer';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is invalid';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'its signature algorithm is not allowed';
  if (error instanceof errors.JOSENotSupported)
    return 'it uses an unsupported extension or algorithm';
  return 'it cannot be read';
}

function claimProblem(
  claims: Readonly<Record<string, unknown>>,
  { clientId, nonce, now }: IdTokenChecks,
): string | undefined {
  const { aud, azp, exp, iat, nbf, sub } = claims;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.includes(clientId)) return 'it is for another client ("aud")';
  if (audiences.length > 1 && azp === undefined) return 'it has several audiences and no "azp"';
  if (azp !== undefined && azp !== clientId) return 'it was issued to another client ("azp")';
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT)
    return 'it has no valid "sub"';
  if (!isTime(exp)) return 'it has no valid "exp"';
  if (exp <= now - TOLERANCE) return 'it has expired';
  if (!isTime(iat)) return 'it has no valid "iat"';
  if (iat > now + TOLERANCE) return 'it was issued in the future ("iat"); compare the clocks';
  if (iat < now - OLDEST) return 'it was issued too long ago ("iat"); compare the clocks';
  if (nbf !== undefined && (!isTime(nbf) || nbf > now + TOLERANCE)) return 'it is not yet valid';
  return nonce !== undefined && claims['nonce'] !== nonce
    ? 'it does not belong to this login ("nonce")'
    : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** The hash of the access token is optional; if present, it must be right. */
function hashProblem(
  { alg }: JWSHeaderParameters,
  claims: Readonly<Record<string, unknown>>,
  { accessToken }: IdTokenChecks,
): string | undefined {
  const stated = claims['at_hash'];
  if (stated === undefined) return undefined;
  const size = /(256|384|512)$/.exec(alg ?? '')?.[1] ?? '512';
  const digest = createHash(`sha${size}`).update(accessToken, 'ascii').digest();
  const expected = digest.subarray(0, digest.length / 2);
  const given = typeof stated === 'string' ? Buffer.from(stated, 'base64url') : Buffer.alloc(0);
  return given.length === expected.length && timingSafeEqual(given, expected)
    ? undefined
    : 'it belongs to another access token ("at_hash")';
}

function refused({ provider }: IdTokenChecks, problem: string): CodedError {
  return new CodedError('ISSUER_ANSWER_INVALID', `invalid ID token for ${provider}: ${problem}`, {
    provider,
    problem,
  });
}

function mismatch({ provider, names }: IdTokenChecks): CodedError {
  return new CodedError(
    'ISSUER_MISMATCH',
    `issuer mismatch: the ID token for ${provider} names another issuer than ` +
      `${names.issuer}; if it is correct, set CREDMON_${provider}_ISSUER to the exact ` +
      `identifier, or add the name to CREDMON_${provider}_ISSUER_ALIASES`,
    { provider },
  );
}

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
