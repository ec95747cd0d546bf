// Issues one token: what is asked for, which scopes the rules of the provider allow, and
// signs or fetches it.
import { scopesFor as scopesByRules } from '../authz/scopes.ts';
import { type ClientOptions, fetchToken, metadataOf } from '../providers/client/credentials.ts';
import { wordsOf } from '../providers/common/granted-scopes.ts';
import type { ProviderContext } from '../providers/common/provider.ts';
import { localGroups } from '../providers/local/groups.ts';
import { localKeys, type LocalPorts } from '../providers/local/keys.ts';
import { rulesOf } from '../providers/local/local.ts';
import { type TokenClient, scopesFor } from '../settings/clients.ts';
import type { LocalIssuer, LocalSettings } from '../settings/local.ts';
import type { Settings } from '../settings/read.ts';
import type { TokenSource } from '../settings/token-source.ts';
import { CodedError, jwtClaims } from '@credmon/core/base';
import { isCredName, splitScopes } from '@credmon/core/credential';
import { containsScope } from '@credmon/core/profiles';
import { issueToken } from '@credmon/scitokens';

/** A request. Empty lists and `undefined`: as for a configured entry. */
export interface TokenWish {
  readonly provider: string;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  /** In seconds. */
  readonly lifetime: number | undefined;
}

/** A token that was issued. `jti` is missing if the token is opaque or has none. */
export interface IssuedToken {
  /** A secret. */
  readonly token: string;
  readonly source: 'signed' | 'fetched';
  readonly provider: string;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  /** Issue and expiry in epoch seconds; infinite for a token that does not expire. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly jti: string | undefined;
  /** What the issuer granted otherwise than requested; a clause. */
  readonly note: string | undefined;
}

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE = /^[!#-[\]-~]+$/;
/** Printable ASCII: an audience is shown in the log. */
const AUDIENCE = /^[!-~]+$/;

/**
 * Checks what the log and a template will show of a request.
 * @throws CodedError `USAGE`
 */
export function checkWish({ subject, audience, scopes }: TokenWish): void {
  const wrong = (what: string, value: string): CodedError =>
    new CodedError('USAGE', `${JSON.stringify(value)} is not a valid ${what}`);
  if (subject !== undefined && !isCredName(subject))
    throw new CodedError(
      'USAGE',
      `${JSON.stringify(subject)} is not a valid subject: use letters, digits and "+=_.-"`,
    );
  for (const one of audience) if (!AUDIENCE.test(one)) throw wrong('audience', one);
  for (const one of scopes) if (!SCOPE.test(one)) throw wrong('scope', one);
}

/** The scopes of a provider: what its rules give to a subject, and what root added. */
export interface AllowedScopes {
  readonly provider: string;
  readonly subject: string | undefined;
  readonly byRule: readonly string[];
  /** CREDMON_TOKEN_ALLOW, or that of the provider. */
  readonly further: readonly string[];
}

/**
 * Returns the scopes of a token: the requested ones if all of them are allowed, or lie
 * below an allowed path; without a request, those of the rules.
 * @throws CodedError `USER_REFUSED`
 */
export function chooseScopes(
  asked: readonly string[],
  { provider, subject, byRule, further }: AllowedScopes,
): readonly string[] {
  const allowed = [...byRule, ...further];
  const refused = asked.filter(
    (scope) => !allowed.some((wide) => wide === scope || containsScope(wide, scope)),
  );
  const who = subject === undefined ? '' : ` for ${subject}`;
  if (refused.length > 0) {
    const line = `CREDMON_${provider}_TOKEN_ALLOW = ${[...further, ...refused].join(' ')}`;
    throw new CodedError(
      'USER_REFUSED',
      `the rules of ${provider} do not give the scopes ${refused.join(' ')}${who}; to allow them, set ${line}`,
      { provider },
    );
  }
  if (asked.length > 0) return [...new Set(asked)];
  if (byRule.length > 0) return byRule;
  throw new CodedError(
    'USER_REFUSED',
    `the rules of ${provider} give no scopes${who}; name them with --scope`,
    { provider },
  );
}

/** The ports of signing and fetching. `now` in epoch seconds. */
export interface IssuancePorts {
  readonly local: LocalPorts;
  readonly secretVersion: (path: string) => string;
  readonly send: ProviderContext['send'];
  readonly readSecret: ProviderContext['readSecret'];
  readonly now: () => number;
}

/**
 * Issues the token.
 * @throws CodedError as `signOne` and `fetchOne`
 */
export async function issueOne(
  wish: TokenWish,
  source: TokenSource,
  { local, lists, allowLoopbackHttp, endpointOrigins, policy }: Settings,
  { local: ports, secretVersion, send, readSecret, now: time }: IssuancePorts,
): Promise<IssuedToken> {
  const { further } = source;
  const now = time();
  if (source.kind === 'signed')
    return signOne(wish, { local, issuer: source.issuer, further, ports, now });
  const { client } = source;
  const nothing = { ok: false, reason: 'is missing' } as const;
  return fetchOne(wish, {
    client,
    further,
    options: {
      clients: [client],
      secretVersion,
      random: ports.random,
      specialNames: lists.specialNames,
      allowLoopbackHttp,
      endpointOrigins,
      defaultLifetime: policy.defaultLifetime,
    },
    context: {
      send,
      now,
      readSecret,
      readToken: () => ({ top: nothing, topIdentity: undefined, meta: nothing }),
    },
  });
}

/** What signing needs besides the request. `now` in epoch seconds. */
interface SigningContext {
  readonly local: LocalSettings;
  readonly issuer: LocalIssuer;
  /** Scopes that root allows besides those of the template. */
  readonly further: readonly string[];
  readonly ports: LocalPorts;
  readonly now: number;
}

/**
 * Signs the token: the subject gets what the template and the group requirement give to a
 * user of this name, for at most the lifetime of the provider's tokens.
 * @throws CodedError `USAGE`, `USER_REFUSED`, and the errors of the key and of `issueToken`
 */
function signOne(
  wish: TokenWish,
  { local, issuer, further, ports, now }: SigningContext,
): IssuedToken {
  const { provider, subject } = wish;
  if (subject === undefined) throw new CodedError('USAGE', 'name the subject with --subject');
  const lifetime = lifetimeOf(wish, issuer);
  const audience = wish.audience.length > 0 ? wish.audience : issuer.audience;
  if (audience.length === 0 && issuer.profile !== 'scitoken:1.0')
    throw new CodedError('USAGE', `name the audience with --audience: ${provider} has none`);
  // Only the daemon creates or completes the shared key pair.
  const keyPair = { privateKey: '', publicKey: '' };
  const settings = { ...local, issuers: [issuer], keyPair };
  const groups = localGroups(local.userMaps, ports);
  const byRule = scopesByRules(rulesOf(issuer), {
    username: subject,
    groups: groups.groupsOf(subject, issuer),
    now,
    userMap: groups.userMap,
  });
  const scopes = chooseScopes(wish.scopes, { provider, subject, byRule, further });
  const token = issueToken(
    localKeys(settings, ports).keyOf({ ...issuer, lifetime }),
    {
      profile: issuer.profile,
      issuer: issuer.issuer,
      subject,
      scope: scopes,
      lifetime,
      ...(audience.length === 0
        ? {}
        : { audience: audience.length === 1 ? (audience[0] ?? '') : audience }),
    },
    { now, random: ports.random },
  );
  const issuedAt = Math.floor(now);
  return {
    token,
    source: 'signed',
    provider,
    subject,
    audience,
    scopes,
    issuedAt,
    expiresAt: issuedAt + lifetime,
    jti: jtiOf(token),
    note: undefined,
  };
}

/** Keys are published long enough for the configured lifetime only. */
function lifetimeOf({ lifetime, provider }: TokenWish, issuer: LocalIssuer): number {
  if (lifetime === undefined) return issuer.lifetime;
  if (lifetime >= 1 && lifetime <= issuer.lifetime) return lifetime;
  throw new CodedError(
    'USAGE',
    `--lifetime is ${lifetime} s; it must be from 1 to ${issuer.lifetime} ` +
      `(LOCAL_CREDMON_${provider}_TOKEN_LIFETIME)`,
  );
}

/** Returns the identifier in a JWT, if it has one. */
function jtiOf(token: string): string | undefined {
  const jti = jwtClaims(token)?.['jti'];
  return typeof jti === 'string' && /^[!-~]{1,128}$/.test(jti) ? jti : undefined;
}

/** What a request needs besides the wish. */
interface FetchContext {
  readonly client: TokenClient;
  /** Scopes that root allows besides those of the client. */
  readonly further: readonly string[];
  readonly options: ClientOptions;
  readonly context: ProviderContext;
}

/**
 * Fetches the token. An audience of its own replaces the audience and the resources of
 * the client, as for a standing token.
 * @throws CodedError `USAGE`, `USER_REFUSED`, `ISSUER_ANSWER_INVALID` for a JWT with
 * another subject, and the errors of `fetchToken`
 */
async function fetchOne(
  wish: TokenWish,
  { client, further, options, context }: FetchContext,
): Promise<IssuedToken> {
  const { provider, subject } = wish;
  if (wish.lifetime !== undefined)
    throw new CodedError(
      'USAGE',
      `--lifetime cannot be used: the issuer of ${provider} decides the lifetime of its tokens`,
    );
  const isForUser = isTemplate(client.scopes);
  if (isForUser && subject === undefined)
    throw new CodedError(
      'USAGE',
      `name the subject with --subject: the scopes of ${provider} contain {username}`,
    );
  const byRule = splitScopes(scopesFor(client.scopes, subject ?? ''));
  const scopes = chooseScopes(wish.scopes, { provider, subject, byRule, further });
  const own = wish.audience.length > 0;
  const { audience, resources } = own ? { audience: wish.audience, resources: [] } : client;
  const request = { scope: scopes.join(' '), audience, resources };
  const bare = { ...client, json: false };
  const fetched = await fetchToken(bare, request, metadataOf(options), options, context);
  const { accessToken, scope } = fetched.answer;
  const { sub, aud } = jwtClaims(accessToken) ?? {};
  const given = splitScopes(wordsOf(aud) ?? '');
  if (!isForUser && subject !== undefined && sub !== undefined && sub !== subject)
    throw new CodedError(
      'ISSUER_ANSWER_INVALID',
      `subject mismatch: --subject is ${subject}, the token of ${provider} has another one`,
      { provider },
    );
  return {
    token: accessToken,
    source: 'fetched',
    provider,
    subject: typeof sub === 'string' ? harmless(sub) : undefined,
    audience: given.length > 0 ? given.map(harmless) : [...audience, ...resources],
    scopes: scope === undefined ? scopes : splitScopes(scope).map(harmless),
    ...fetched.use.times,
    jti: jtiOf(accessToken),
    note: fetched.noted.note,
  };
}

/** True if scopes are for a user. */
export function isTemplate(scopes: string): boolean {
  return scopes.includes('{username}');
}

/** Returns a text of the issuer for the log: whole, or masked. */
function harmless(text: string): string {
  return /^[!-~]{1,256}$/.test(text) ? text : '[...]';
}

/** Returns the line; `to` is where the token goes, `who` the user who asked. */
export function auditText(issued: IssuedToken, to: string, who: string): string {
  const { provider, source, subject, audience, scopes, issuedAt, expiresAt, jti } = issued;
  const seconds = expiresAt - issuedAt;
  const lifetime = Number.isFinite(seconds) ? `${seconds} s` : 'without end';
  return (
    `${source} a token of ${provider} as ${who} asked: subject ${subject ?? 'unknown'}, ` +
    `audience ${audience.join(' ') || 'none'}, scopes "${scopes.join(' ')}", ` +
    `lifetime ${lifetime}, jti ${jti ?? 'none'}; to ${to}`
  );
}
