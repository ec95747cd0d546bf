// The policy of a provider: everything that depends on the issuer, from the knobs
// CREDMON_<PROVIDER>_* and the provider profile.
import { originOf } from '../base/http/send.ts';
import { knob, KNOBS } from '../config/typed/declarations.ts';
import type { KnobReader } from '../config/typed/knob-reader.ts';
import type { Config } from '../config/table/config.ts';
import {
  isProfileName,
  PROFILE_NAMES,
  PROFILES,
  type AudienceParameter,
  type ClientAuthentication,
  type ErrorMeaning,
  type ProfileName,
  type RefreshParameter,
} from './profile.ts';
import {
  oneOf,
  readDeadGrants,
  readLifetime,
  readParameters,
  readRefreshParameters,
  type ExtraParameters,
  type Source,
  isOtherIssuer,
  profilePart,
  readClientKey,
  readEndpoints,
  readIssuer,
  type ClientKeyFile,
  type NamedEndpoints,
  type ProfilePart,
} from './policy-knobs.ts';
import { isScope, type ScopeRules } from './scope-rules.ts';

/** Everything about a provider that depends on its issuer. Immutable. */
export interface IssuerPolicy {
  readonly profile: ProfileName;
  /** The exact issuer identifier, if known. */
  readonly issuer: string | undefined;
  /** Other accepted names of the issuer. */
  readonly issuerAliases: readonly string[];
  /** True if `{tenantid}` in the issuer's name stands for the claim `tid`. */
  readonly tenantIssuers: boolean;
  readonly endpoints: NamedEndpoints;
  /** Where users end an access, if the issuer has no revocation endpoint. */
  readonly revocationPage: string | undefined;
  /** What of issuer and endpoints no knob has set: it is the profile's, see {@link policyAt}. */
  readonly ofProfile: readonly ProfilePart[];
  /** Further origins of the issuer's endpoints. */
  readonly origins: readonly string[];
  /** How the client authenticates; `undefined`: as the metadata says, else `post`. */
  readonly authentication: ClientAuthentication | undefined;
  readonly clientKey: ClientKeyFile | undefined;
  /** True to send a code challenge (PKCE). */
  readonly pkce: boolean;
  readonly audienceParameter: AudienceParameter;
  readonly authorizationParameters: ExtraParameters;
  /** True if the scope offline_access needs `prompt=consent`. */
  readonly offlineConsent: boolean;
  /** Sent with the code and with each refresh token. */
  readonly tokenParameters: ExtraParameters;
  readonly refreshParameters: readonly RefreshParameter[];
  readonly scopes: ScopeRules;
  /** The lifetime in seconds of a token whose issuer does not say it. */
  readonly tokenLifetime: number | 'unlimited' | undefined;
  /** True if a refresh revokes the old access token, so that it must be late. */
  readonly refreshRevokes: boolean;
  /** The resource server whose token is stored, of an answer with several tokens. */
  readonly resourceServer: string | undefined;
  readonly errors: readonly ErrorMeaning[];
  /** True if jobs may read the ID token. */
  readonly useIdToken: boolean;
  /** True: `.use` is JSON; false: the bare token. */
  readonly useJson: boolean;
}

const PREFIX = 'CREDMON_<PROVIDER>_';
/** How the names of these knobs end. */
const SUFFIXES = Object.keys(KNOBS).flatMap((name) =>
  name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [],
);
/** CREDMON_RENEWALS_PER_ISSUER is a knob of the daemon. */
const KNOB = new RegExp(`^CREDMON_(?!RENEWALS_PER_)(.+)_(?:${SUFFIXES.join('|')})$`, 'i');

/**
 * Reads the policies of all providers that have such a knob, by upper-case name, because
 * knobs are case-insensitive; {@link policyOf} has those of the others. Mistakes are added
 * to `read`.
 */
export function readIssuerPolicies(
  config: Config,
  read: KnobReader,
  allowLoopbackHttp: boolean,
): ReadonlyMap<string, IssuerPolicy> {
  const policies = new Map<string, IssuerPolicy>();
  for (const name of config.setNames()) {
    const provider = KNOB.exec(name)?.[1];
    if (provider !== undefined && !policies.has(provider.toUpperCase()))
      policies.set(provider.toUpperCase(), readIssuerPolicy(read, provider, allowLoopbackHttp));
  }
  return policies;
}

/**
 * Returns the policy of a provider; without a knob, the policy of `generic`, or of one of
 * HTCondor's built-in providers.
 */
export function policyOf(
  policies: ReadonlyMap<string, IssuerPolicy>,
  provider: string,
): IssuerPolicy {
  const read = policies.get(provider.toUpperCase());
  if (read) return read;
  const name = byName(provider);
  return name === undefined ? GENERIC_POLICY : BUILT_IN_POLICIES[name];
}

/**
 * Returns the policy for a token endpoint that is configured. If it is on another server
 * than those of the profile, the issuer and the endpoints of the profile do not count: a
 * secret must not be sent to another service of the same kind.
 */
export function policyAt(policy: IssuerPolicy, tokenUrl: string | undefined): IssuerPolicy {
  const { issuer, endpoints, origins, ofProfile } = policy;
  if (tokenUrl === undefined || tokenUrl === '' || ofProfile.length === 0) return policy;
  const servers = [issuer, endpoints.tokenUrl].flatMap((url) =>
    url === undefined ? [] : [originOf(url)],
  );
  if ([...servers, ...origins].includes(originOf(tokenUrl))) return policy;
  const isOwn = (name: (typeof ofProfile)[number]): boolean => !ofProfile.includes(name);
  const kept = Object.entries(endpoints).filter(([name]) => isOwn(name as keyof NamedEndpoints));
  return {
    ...policy,
    issuer: isOwn('issuer') ? issuer : undefined,
    endpoints: Object.fromEntries(kept),
    revocationPage: undefined,
    ofProfile: [],
  };
}

/**
 * Returns the lifetime in seconds of a token of the provider whose issuer does not say it:
 * infinite if such tokens do not expire, else that of the policy or `defaultLifetime`.
 */
export function defaultLifetimeOf(
  { tokenLifetime }: Pick<IssuerPolicy, 'tokenLifetime'>,
  defaultLifetime: number,
): number {
  return tokenLifetime === 'unlimited'
    ? Number.POSITIVE_INFINITY
    : (tokenLifetime ?? defaultLifetime);
}

/** Reads the policy of one provider; mistakes are added to `read`. */
export function readIssuerPolicy(
  read: KnobReader,
  provider: string,
  allowLoopbackHttp: boolean,
): IssuerPolicy {
  const chosen = readProfile(read, provider);
  const profile = chosen ?? byName(provider) ?? 'generic';
  const facts = PROFILES[profile];
  const source: Source = { read, provider, profile: facts, allowLoopbackHttp };
  const byProfile = policyFrom(profile);
  const issuer = readIssuer(source, chosen !== undefined);
  const endpoints = readEndpoints(
    source,
    chosen === undefined || isOtherIssuer(source, profile) ? {} : byProfile.endpoints,
  );
  const policy: IssuerPolicy = {
    profile,
    issuer,
    issuerAliases:
      read.list(knob('CREDMON_<PROVIDER>_ISSUER_ALIASES', source.provider)) ??
      byProfile.issuerAliases,
    tenantIssuers: byProfile.tenantIssuers,
    revocationPage: byProfile.revocationPage,
    endpoints,
    ofProfile: profilePart(source, issuer, endpoints),
    origins: byProfile.origins,
    authentication:
      oneOf(source, knob('CREDMON_<PROVIDER>_CLIENT_AUTH', provider), AUTHENTICATIONS) ??
      byProfile.authentication,
    clientKey: readClientKey(source),
    pkce: read.boolean(knob('CREDMON_<PROVIDER>_PKCE', source.provider)) ?? byProfile.pkce,
    audienceParameter:
      oneOf(source, knob('CREDMON_<PROVIDER>_AUDIENCE_PARAMETER', provider), [
        'resource',
        'audience',
        'none',
      ] as const) ?? byProfile.audienceParameter,
    authorizationParameters: {
      ...byProfile.authorizationParameters,
      ...readParameters(source, knob('CREDMON_<PROVIDER>_AUTHORIZATION_PARAMETERS', provider)),
    },
    offlineConsent: byProfile.offlineConsent,
    tokenParameters: {
      ...byProfile.tokenParameters,
      ...readParameters(source, knob('CREDMON_<PROVIDER>_TOKEN_PARAMETERS', provider)),
    },
    refreshParameters: readRefreshParameters(source) ?? byProfile.refreshParameters,
    scopes: readScopeRules(source, byProfile.scopes),
    tokenLifetime: readLifetime(source) ?? byProfile.tokenLifetime,
    refreshRevokes:
      read.boolean(knob('CREDMON_<PROVIDER>_REFRESH_REVOKES', source.provider)) ??
      byProfile.refreshRevokes,
    resourceServer: read.string(knob('CREDMON_<PROVIDER>_RESOURCE_SERVER', source.provider)),
    errors: [...readDeadGrants(source), ...byProfile.errors],
    useIdToken: read.boolean(knob('CREDMON_<PROVIDER>_USE_ID_TOKEN', source.provider)),
    useJson: read.boolean(knob('CREDMON_<PROVIDER>_TOKEN_USE_JSON', source.provider)),
  };
  if (policy.authentication === 'private_key_jwt' && policy.clientKey === undefined)
    read.mistake(
      knob('CREDMON_<PROVIDER>_CLIENT_KEY_FILE', source.provider).name,
      'is not set, but private_key_jwt needs the private key of the client',
    );
  return policy;
}

/** The policy of a profile without any knob. */
function policyFrom(name: ProfileName): IssuerPolicy {
  const { authorizationUrl, tokenUrl, deviceUrl, revocationUrl, ...profile } = PROFILES[name];
  return {
    profile: name,
    issuer: profile.issuer,
    issuerAliases: profile.issuerAliases ?? [],
    tenantIssuers: profile.tenantIssuers ?? false,
    endpoints: { authorizationUrl, tokenUrl, deviceUrl, revocationUrl },
    revocationPage: profile.revocationPage,
    ofProfile: [],
    origins: profile.origins ?? [],
    authentication: profile.authentication,
    clientKey: undefined,
    pkce: profile.pkce ?? true,
    audienceParameter: profile.audienceParameter ?? 'resource',
    authorizationParameters: profile.authorizationParameters ?? {},
    offlineConsent: profile.offlineConsent ?? true,
    tokenParameters: profile.tokenParameters ?? {},
    refreshParameters: profile.refreshParameters ?? [],
    scopes: {
      policy: profile.scopePolicy ?? 'contained',
      extra: [],
      generic: profile.genericScopes,
      aliases: profile.scopeAliases ?? {},
      prefixes: profile.scopePrefixes ?? [],
      ignoresCase: profile.scopeCase === 'ignored',
    },
    tokenLifetime: profile.tokenLifetime,
    refreshRevokes: profile.refreshRevokes ?? false,
    resourceServer: undefined,
    errors:
      name === 'generic'
        ? (profile.errors ?? [])
        : [...(profile.errors ?? []), ...(PROFILES.generic.errors ?? [])],
    useIdToken: false,
    useJson: true,
  };
}

/** The policy of a provider without any knob. */
export const GENERIC_POLICY: IssuerPolicy = policyFrom('generic');

/** The profiles of the providers whose endpoints HTCondor knows, by lower-case name. */
const BUILT_IN = {
  box: 'box',
  dropbox: 'dropbox',
  gdrive: 'google',
  onedrive: 'microsoft',
} as const;

/**
 * Without CREDMON_<PROVIDER>_PROFILE, a provider with a built-in name has its profile, but
 * no issuer and no endpoints: those of the configuration may be others.
 */
function byName(provider: string): (typeof BUILT_IN)[keyof typeof BUILT_IN] | undefined {
  const name = provider.toLowerCase();
  return Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name as keyof typeof BUILT_IN] : undefined;
}

const withoutIssuer = (name: ProfileName): IssuerPolicy => ({
  ...policyFrom(name),
  issuer: undefined,
  endpoints: {},
});

const BUILT_IN_POLICIES = {
  box: withoutIssuer('box'),
  dropbox: withoutIssuer('dropbox'),
  google: withoutIssuer('google'),
  microsoft: withoutIssuer('microsoft'),
} as const;

const AUTHENTICATIONS = ['post', 'basic', 'basic_plain', 'private_key_jwt', 'none'] as const;

function readProfile(read: KnobReader, provider: string): ProfileName | undefined {
  const ofProvider = knob('CREDMON_<PROVIDER>_PROFILE', provider);
  const value = read.string(ofProvider)?.toLowerCase();
  if (value === undefined || isProfileName(value)) return value;
  read.mistake(
    ofProvider.name,
    `is ${JSON.stringify(value)}; it must be one of ${PROFILE_NAMES.join(', ')}`,
  );
  return 'generic';
}

/** A scope with a quote or a backslash is invalid: no issuer grants it. */
function readExtraScopes({ read, provider }: Source): readonly string[] {
  const ofScopes = knob('CREDMON_<PROVIDER>_EXTRA_SCOPES', provider);
  const scopes = read.list(ofScopes) ?? [];
  const invalid = scopes.find((scope) => !isScope(scope));
  if (invalid !== undefined)
    read.mistake(ofScopes.name, `has ${JSON.stringify(invalid)}, an invalid scope`);
  return scopes;
}

function readScopeRules(source: Source, byProfile: ScopeRules): ScopeRules {
  const { read } = source;
  const ofAliases = knob('CREDMON_<PROVIDER>_SCOPE_ALIASES', source.provider);
  const aliases = (read.list(ofAliases) ?? []).flatMap((pair) => {
    const at = pair.indexOf('=');
    if (at > 0 && at < pair.length - 1) return [[pair.slice(0, at), pair.slice(at + 1)] as const];
    read.mistake(ofAliases.name, `has ${JSON.stringify(pair)}; write scope=other-name`);
    return [];
  });
  return {
    policy:
      oneOf(source, knob('CREDMON_<PROVIDER>_SCOPE_POLICY', source.provider), [
        'exact',
        'contained',
        'issuer',
      ] as const) ?? byProfile.policy,
    extra: readExtraScopes(source),
    generic: byProfile.generic,
    aliases: { ...byProfile.aliases, ...Object.fromEntries(aliases) },
    prefixes: byProfile.prefixes,
    ignoresCase: byProfile.ignoresCase,
  };
}
