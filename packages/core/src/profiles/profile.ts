// The provider profiles: what is documented about the issuers that sites use, one JSON
// file each with its sources. A knob wins over every value.
import type { ErrorCode } from '../base/errors/errors.ts';
import box from './data/box.json' with { type: 'json' };
import cilogon from './data/cilogon.json' with { type: 'json' };
import dropbox from './data/dropbox.json' with { type: 'json' };
import egi from './data/egi.json' with { type: 'json' };
import generic from './data/generic.json' with { type: 'json' };
import github from './data/github.json' with { type: 'json' };
import globus from './data/globus.json' with { type: 'json' };
import google from './data/google.json' with { type: 'json' };
import iam from './data/iam.json' with { type: 'json' };
import keycloak from './data/keycloak.json' with { type: 'json' };
import microsoft from './data/microsoft.json' with { type: 'json' };
import orcid from './data/orcid.json' with { type: 'json' };

/**
 * How a client authenticates at the token endpoint. `basic` encodes id and secret as a
 * form; `basic_plain` sends them as they are.
 * @see RFC 6749, section 2.3.1; OpenID Connect Core 1.0, section 9
 */
export type ClientAuthentication = 'post' | 'basic' | 'basic_plain' | 'private_key_jwt' | 'none';

/** Which granted scopes are accepted, see `compareGrant`. */
export type ScopePolicy = 'exact' | 'contained' | 'issuer';

/** The name of the parameter for the requested audience; `none`: it is not sent. */
export type AudienceParameter = 'resource' | 'audience' | 'none';

/** What a refresh repeats from the request of the user. */
export type RefreshParameter = 'scope' | 'audience';

/**
 * The meaning of an issuer's error: it matches if `error`, the text (a regular expression
 * for `error_description`, case-insensitive) and the grant, as far as given, do.
 */
export interface ErrorMeaning {
  readonly error?: string;
  readonly text?: string;
  /**
   * The answer says nothing else: `error` without a description, or without `error` status
   * 400 and an empty body. The client may be at fault too, and the message says so.
   */
  readonly silent?: true;
  readonly grant?: 'refresh';
  readonly means: ErrorCode;
}

/** What is known about a kind of issuer. A missing member has the value of `generic`. */
export interface ProviderProfile {
  readonly title: string;
  /** The sources. `read`: the date, if the values were compared with the source. */
  readonly documentation: readonly {
    readonly title: string;
    readonly url: string;
    readonly read?: string;
  }[];
  /** Host names of such issuers, for a suggestion; `*` stands for any part. */
  readonly hosts?: readonly string[];
  /** Parts of the path of such issuers, for a suggestion. */
  readonly pathMarks?: readonly string[];
  /** The issuer identifier, if there is only one. */
  readonly issuer?: string;
  /** Other names by which ID tokens and callbacks call the issuer. */
  readonly issuerAliases?: readonly string[];
  /** Accepts `{tenantid}` in the metadata: the claim `tid` replaces it. */
  readonly tenantIssuers?: boolean;
  /** Further origins of the issuer's endpoints. */
  readonly origins?: readonly string[];
  readonly authorizationUrl?: string;
  readonly tokenUrl?: string;
  readonly deviceUrl?: string;
  readonly revocationUrl?: string;
  /** Where users end an access, if the issuer has no revocation endpoint (RFC 7009). */
  readonly revocationPage?: string;
  readonly authentication?: ClientAuthentication;
  readonly pkce?: boolean;
  readonly audienceParameter?: AudienceParameter;
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** False if the scope offline_access needs no `prompt=consent`. */
  readonly offlineConsent?: boolean;
  readonly tokenParameters?: Readonly<Record<string, string>>;
  readonly refreshParameters?: readonly RefreshParameter[];
  readonly scopePolicy?: ScopePolicy;
  /** Scopes without authority over data: they may be granted without a request. */
  readonly genericScopes: readonly string[];
  /** Scopes that have a second name. */
  readonly scopeAliases?: Readonly<Record<string, string>>;
  /** A scope with this prefix is the same as the one without it. */
  readonly scopePrefixes?: readonly string[];
  /** Names of scopes are compared without case. */
  readonly scopeCase?: 'ignored';
  /** The lifetime in seconds of a token whose issuer does not say it. */
  readonly tokenLifetime?: number | 'unlimited';
  /** True if a refresh revokes the old access token. */
  readonly refreshRevokes?: boolean;
  readonly errors?: readonly ErrorMeaning[];
}

/** The names of the profiles, as in CREDMON_<PROVIDER>_PROFILE. */
export const PROFILE_NAMES = [
  'google',
  'microsoft',
  'github',
  'globus',
  'cilogon',
  'iam',
  'keycloak',
  'egi',
  'box',
  'dropbox',
  'orcid',
  'generic',
] as const;

/** The name of a profile. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** All profiles by name. */
export const PROFILES: Readonly<Record<ProfileName, ProviderProfile>> = {
  google,
  microsoft,
  github,
  globus,
  cilogon,
  iam,
  keycloak,
  egi,
  box,
  dropbox,
  orcid,
  generic,
} as Record<ProfileName, ProviderProfile>;

/** True for the name of a profile. */
export function isProfileName(name: string): name is ProfileName {
  return Object.hasOwn(PROFILES, name);
}

/**
 * Returns the profile whose hosts or paths fit the URL of an issuer or endpoint, if any.
 */
export function suggestProfile(url: string): ProfileName | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, pathname } = new URL(url);
  const byHost = PROFILE_NAMES.find((name) => (PROFILES[name].hosts ?? []).includes(hostname));
  const byPath = (): ProfileName | undefined =>
    PROFILE_NAMES.find((name) =>
      (PROFILES[name].pathMarks ?? []).some((mark) => pathname.includes(mark)),
    );
  // A host such as iam.example.org says less than a path such as /realms/x.
  const byPattern = (): ProfileName | undefined =>
    PROFILE_NAMES.find((name) =>
      (PROFILES[name].hosts ?? []).some((pattern) => hostMatches(pattern, hostname)),
    );
  return byHost ?? byPath() ?? byPattern();
}

/** True if the URL of an issuer or endpoint is one of a profile. */
export function fits(name: ProfileName, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, pathname } = new URL(url);
  const { hosts = [], pathMarks = [] } = PROFILES[name];
  return (
    hosts.some((pattern) => hostMatches(pattern, hostname)) ||
    pathMarks.some((mark) => pathname.includes(mark))
  );
}

function hostMatches(pattern: string, host: string): boolean {
  const escaped = pattern.replaceAll('.', String.raw`\.`).replaceAll('*', '.+');
  return new RegExp(`^${escaped}$`, 'i').test(host);
}
