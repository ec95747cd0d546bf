// Reads a provider's policy from the knobs CREDMON_<PROVIDER>_* and its profile: single
// values, the issuer, the endpoints and the key.
import { messageOf } from '../base/errors/errors.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { originOf } from '../base/http/send.ts';
import { type NamedKnob, knob } from '../config/typed/declarations.ts';
import type { KnobReader } from '../config/typed/knob-reader.ts';
import { LONGEST_LIFETIME } from '../credential/times.ts';
import {
  type ErrorMeaning,
  PROFILES,
  type ProfileName,
  type ProviderProfile,
  type RefreshParameter,
  fits,
} from './profile.ts';

/** Parameters of a request beside those of the protocol, by name. */
export type ExtraParameters = Readonly<Record<string, string>>;

/** What is read of a provider: its knobs by suffix, and the profile. */
export interface Source {
  readonly read: KnobReader;
  readonly provider: string;
  readonly profile: ProviderProfile;
  readonly allowLoopbackHttp: boolean;
}

/** Reads CREDMON_ENDPOINT_ORIGINS as origins; mistakes are added to `read`. */
export function readEndpointOrigins(read: KnobReader, allowLoopbackHttp: boolean): string[] {
  const knob = 'CREDMON_ENDPOINT_ORIGINS';
  return (read.list(knob) ?? []).flatMap((text) => {
    try {
      const { origin, href } = secureEndpoint(text, knob, allowLoopbackHttp);
      if (href !== `${origin}/`)
        read.mistake(knob, `is ${text}: it must be an origin without a path, https://host:port`);
      return [origin];
    } catch (error) {
      read.mistake(knob, `is unusable: ${messageOf(error)}`);
      return [];
    }
  });
}

/** Parameters of the protocol, which a knob must not replace. */
const RESERVED = new Set([
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'client_id',
  'client_secret',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'device_code',
  'grant_type',
  'nonce',
  'password',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);

/**
 * Reads parameters as in a query, with `&` or blanks between them:
 * `access_type=offline prompt=consent`.
 */
export function readParameters(
  source: Source,
  ofProvider: NamedKnob<
    'CREDMON_<PROVIDER>_AUTHORIZATION_PARAMETERS' | 'CREDMON_<PROVIDER>_TOKEN_PARAMETERS'
  >,
): ExtraParameters {
  const text = source.read.string(ofProvider) ?? '';
  const parameters: Record<string, string> = {};
  for (const part of text.split(/[\s&]+/).filter((one) => one !== '')) {
    const [[name, value] = ['', '']] = [...new URLSearchParams(part)];
    if (!part.includes('=') || name === '')
      source.read.mistake(
        ofProvider.name,
        `has ${JSON.stringify(part)}; write name=value, with %20 for a blank in a value`,
      );
    else if (RESERVED.has(name.toLowerCase()))
      source.read.mistake(ofProvider.name, `must not set ${name}: it is part of the protocol`);
    else parameters[name] = value;
  }
  return parameters;
}

/** Reads what a refresh repeats; `undefined` if the knob is not set. */
export function readRefreshParameters(source: Source): readonly RefreshParameter[] | undefined {
  const ofProvider = knob('CREDMON_<PROVIDER>_REFRESH_PARAMETERS', source.provider);
  const words = source.read.list(ofProvider);
  return words?.flatMap((word): RefreshParameter[] => {
    if (word === 'scope') return ['scope'];
    // The name that AUDIENCE_PARAMETER says is used.
    if (word === 'audience' || word === 'resource') return ['audience'];
    source.read.mistake(
      ofProvider.name,
      `has ${JSON.stringify(word)}; it can have scope, audience and resource`,
    );
    return [];
  });
}

/** Reads a lifetime in seconds, or `unlimited`. */
export function readLifetime(source: Source): number | 'unlimited' | undefined {
  const ofProvider = knob('CREDMON_<PROVIDER>_DEFAULT_TOKEN_LIFETIME', source.provider);
  const text = source.read.string(ofProvider)?.trim().toLowerCase();
  if (text === undefined || text === 'unlimited') return text;
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  if (seconds >= 10 && seconds <= LONGEST_LIFETIME) return seconds;
  source.read.mistake(
    ofProvider.name,
    `is ${JSON.stringify(text)}; it must be a number of seconds from 10 to ${LONGEST_LIFETIME}, or unlimited`,
  );
  return undefined;
}

/** Each word of the knob is an error code, or a part of an error description. */
export function readDeadGrants(source: Source): readonly ErrorMeaning[] {
  const words =
    source.read.list(knob('CREDMON_<PROVIDER>_DEAD_GRANT_ERRORS', source.provider)) ?? [];
  return words.flatMap((word): ErrorMeaning[] => {
    const text = word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
    return [
      { error: word, grant: 'refresh', means: 'GRANT_REVOKED' },
      { text, grant: 'refresh', means: 'GRANT_REVOKED' },
    ];
  });
}

/** A knob with a fixed list of values. */
type ChoiceKnob = NamedKnob<
  | 'CREDMON_<PROVIDER>_CLIENT_AUTH'
  | 'CREDMON_<PROVIDER>_AUDIENCE_PARAMETER'
  | 'CREDMON_<PROVIDER>_SCOPE_POLICY'
>;

/** The value of a knob with a fixed list of values; `undefined` if it is not set. */
export function oneOf<const Value extends string>(
  source: Source,
  ofProvider: ChoiceKnob,
  values: readonly Value[],
): Value | undefined {
  const text = source.read.string(ofProvider)?.toLowerCase();
  const found = values.find((value) => value === text);
  if (text !== undefined && found === undefined)
    source.read.mistake(
      ofProvider.name,
      `is ${JSON.stringify(text)}; it must be ${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
    );
  return found;
}

/** Endpoints that a knob or the profile names; the others come from the metadata. */
export interface NamedEndpoints {
  readonly authorizationUrl?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly deviceUrl?: string | undefined;
  readonly revocationUrl?: string | undefined;
  readonly jwksUrl?: string | undefined;
}

/** A part of a policy that the profile may set. */
export type ProfilePart = 'issuer' | keyof NamedEndpoints;

/** The private key of a client that authenticates by private_key_jwt. */
export interface ClientKeyFile {
  readonly path: string;
  readonly keyId: string | undefined;
}

/** Returns the issuer of the knob, or of a chosen profile. */
export function readIssuer(
  { read, provider, profile }: Source,
  isChosen: boolean,
): string | undefined {
  const ofProvider = knob('CREDMON_<PROVIDER>_ISSUER', provider);
  const issuer = read.string(ofProvider) ?? (isChosen ? profile.issuer : undefined);
  if (issuer !== undefined && !URL.canParse(issuer))
    read.mistake(ofProvider.name, `= ${issuer} is not a URL`);
  return issuer;
}

/** Returns the endpoints of the knobs, else those of the profile. */
export function readEndpoints(source: Source, byProfile: NamedEndpoints): NamedEndpoints {
  const { read, provider, allowLoopbackHttp } = source;
  const url = (
    ofProvider: NamedKnob<
      | 'CREDMON_<PROVIDER>_JWKS_URL'
      | 'CREDMON_<PROVIDER>_DEVICE_URL'
      | 'CREDMON_<PROVIDER>_REVOCATION_URL'
    >,
  ): string | undefined => {
    const text = read.string(ofProvider);
    if (text === undefined) return undefined;
    try {
      return secureEndpoint(text, ofProvider.name, allowLoopbackHttp).href;
    } catch (error) {
      read.mistake(ofProvider.name, `cannot be used: ${messageOf(error)}`);
      return undefined;
    }
  };
  return {
    authorizationUrl: byProfile.authorizationUrl,
    tokenUrl: byProfile.tokenUrl,
    deviceUrl: url(knob('CREDMON_<PROVIDER>_DEVICE_URL', provider)) ?? byProfile.deviceUrl,
    revocationUrl:
      url(knob('CREDMON_<PROVIDER>_REVOCATION_URL', provider)) ?? byProfile.revocationUrl,
    jwksUrl: url(knob('CREDMON_<PROVIDER>_JWKS_URL', provider)),
  };
}

/**
 * True if CREDMON_<PROVIDER>_ISSUER is no issuer of the profile, whose endpoints belong to
 * one service: clients must not be sent there. A warning says so.
 */
export function isOtherIssuer({ read, provider }: Source, name: ProfileName): boolean {
  const { authorizationUrl } = PROFILES[name];
  const ofIssuer = knob('CREDMON_<PROVIDER>_ISSUER', provider);
  const issuer = read.string(ofIssuer);
  if (authorizationUrl === undefined || issuer === undefined || fits(name, issuer)) return false;
  read.warning(
    `CREDMON_${provider}_PROFILE`,
    `is ${name}, whose endpoints are at ${originOf(authorizationUrl)}, but ${ofIssuer.name} is ` +
      `${issuer}: the endpoints of the profile are not used`,
  );
  return true;
}

/** Returns the key of a client that authenticates by private_key_jwt, if configured. */
export function readClientKey(source: Source): ClientKeyFile | undefined {
  const path = source.read.path(knob('CREDMON_<PROVIDER>_CLIENT_KEY_FILE', source.provider));
  const keyId = source.read.string(knob('CREDMON_<PROVIDER>_CLIENT_KEY_ID', source.provider));
  return path === undefined ? undefined : { path, keyId };
}

/** The names of what the profile has set, not a knob. */
export function profilePart(
  { read, provider }: Source,
  issuer: string | undefined,
  endpoints: NamedEndpoints,
): readonly ProfilePart[] {
  const isSet = {
    issuer: read.isSet(knob('CREDMON_<PROVIDER>_ISSUER', provider)),
    deviceUrl: read.isSet(knob('CREDMON_<PROVIDER>_DEVICE_URL', provider)),
    revocationUrl: read.isSet(knob('CREDMON_<PROVIDER>_REVOCATION_URL', provider)),
    jwksUrl: true,
    authorizationUrl: false,
    tokenUrl: false,
  };
  return Object.entries({ issuer, ...endpoints }).flatMap(([key, value]) => {
    const name = key as keyof typeof isSet;
    return value === undefined || isSet[name] ? [] : [name];
  });
}
