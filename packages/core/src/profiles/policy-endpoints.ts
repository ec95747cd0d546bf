// Reads the issuer, the endpoints and the key of a provider from the knobs
// CREDMON_<PROVIDER>_* and its profile.
import { messageOf } from '../base/errors/errors.ts';
import { secureEndpoint } from '../base/http/endpoint.ts';
import { originOf } from '../base/http/send.ts';
import { knob, type NamedKnob } from '../config/typed/declarations.ts';
import type { Source } from './policy-values.ts';
import { fits, PROFILES, type ProfileName } from './profile.ts';

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
