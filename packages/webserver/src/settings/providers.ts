// Reads the knobs of single providers: CREDMON_<PROVIDER>_*.
import { secureEndpoint, messageOf } from '@credmon/core/base';
import type { ClientAuthentication, ClientRegistration } from '@credmon/core/oauth';
import { knob, ownKnob, type Config, type KnobReader } from '@credmon/core/config';
import { type ProviderSettings, type Settings, providerSettings } from './settings.ts';
import type { ProviderRequest } from '@credmon/core/credential';

/**
 * The knobs of a provider. CREDMON_RENEWALS_PER_ISSUER is a knob of the daemon. A name
 * such as CREDMON_WEB_ISSUER is read as a knob of a provider WEB.
 */
const KNOB =
  /^CREDMON_(?!RENEWALS_PER_)(.+)_(ISSUER|CLIENT_AUTH|USER_CLAIM|EXTRA_SCOPES|USE_ID_TOKEN|REVOCATION_URL)$/i;

/**
 * Reads the settings of every provider that has such a knob, by upper-case provider name.
 */
export function readProviders(
  config: Config,
  read: KnobReader,
  allowLoopbackHttp: boolean,
): ReadonlyMap<string, ProviderSettings> {
  const providers = new Map<string, ProviderSettings>();
  for (const name of config.names()) {
    const provider = KNOB.exec(name)?.[1]?.toUpperCase();
    if (provider !== undefined && !providers.has(provider))
      providers.set(provider, readProvider(read, provider, allowLoopbackHttp));
  }
  return providers;
}

function readProvider(
  read: KnobReader,
  provider: string,
  allowLoopbackHttp: boolean,
): ProviderSettings {
  const issuer = read.string(knob('CREDMON_<PROVIDER>_ISSUER', provider));
  const userClaim = read.string(knob('CREDMON_<PROVIDER>_USER_CLAIM', provider));
  if (issuer !== undefined && !URL.canParse(issuer))
    read.mistake(`CREDMON_${provider}_ISSUER`, `= ${issuer} is not a URL`);
  if (userClaim !== undefined && issuer === undefined)
    read.mistake(
      `CREDMON_${provider}_USER_CLAIM`,
      `needs CREDMON_${provider}_ISSUER: without it no ID token can be verified`,
    );
  const revocationUrl = readRevocationUrl(read, provider, allowLoopbackHttp);
  return {
    authentication: readAuthentication(read, provider),
    extraScopes: read.list(knob('CREDMON_<PROVIDER>_EXTRA_SCOPES', provider)) ?? [],
    useIdToken: read.boolean(knob('CREDMON_<PROVIDER>_USE_ID_TOKEN', provider)) || undefined,
    issuer,
    revocationUrl,
    userClaim,
  };
}

function readRevocationUrl(
  read: KnobReader,
  provider: string,
  allowLoopbackHttp: boolean,
): string | undefined {
  const ofProvider = knob('CREDMON_<PROVIDER>_REVOCATION_URL', provider);
  const url = read.string(ofProvider);
  if (url === undefined) return undefined;
  try {
    return secureEndpoint(url, ofProvider.name, allowLoopbackHttp).href;
  } catch (error) {
    read.mistake(ofProvider.name, `cannot be used: ${messageOf(error)}`);
    return undefined;
  }
}

function readAuthentication(read: KnobReader, provider: string): ClientAuthentication {
  const ofProvider = knob('CREDMON_<PROVIDER>_CLIENT_AUTH', provider);
  const value = read.string(ofProvider).toLowerCase();
  if (value === 'post' || value === 'basic') return value;
  read.mistake(ofProvider.name, `= ${value} must be post or basic`);
  return 'post';
}

// The local issuer: LOCAL_CREDMON_ISSUER, with all keys that sign for it.

/** Reads the local issuer; the default is `prefix`. */
export function readLocalIssuer(
  config: Config,
  read: KnobReader,
  prefix: string,
): Settings['localIssuer'] {
  const issuer = read.isSet('LOCAL_CREDMON_ISSUER') ? read.string('LOCAL_CREDMON_ISSUER') : prefix;
  const keyDirectories = readKeyDirectories(config, read, issuer);
  return {
    issuer,
    publicKeyFile: read.path('LOCAL_CREDMON_PUBLIC_KEY'),
    keyId: read.string('LOCAL_CREDMON_KEY_ID'),
    keyDirectories: keyDirectories.length === 0 ? undefined : keyDirectories,
  };
}

/** A provider with its own issuer publishes its keys there. */
function readKeyDirectories(config: Config, read: KnobReader, issuer: string): readonly string[] {
  const shared = read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  const own = config.names().flatMap((name) => {
    const provider = /^CREDMON_(.+)_KEY_DIRECTORY$/i.exec(name)?.[1];
    if (provider === undefined || provider.toUpperCase() === 'LOCAL') return [];
    if ((read.string(ownKnob('LOCAL_CREDMON_ISSUER', provider)) ?? issuer) !== issuer) return [];
    return [read.path(ownKnob('CREDMON_LOCAL_KEY_DIRECTORY', provider))];
  });
  return [...new Set([shared, ...own])].filter((path) => path !== undefined);
}

/**
 * Returns the client registration for a request. Endpoints and secret are from the key
 * file, which only CredD can write.
 */
export function registrationOf(settings: Settings, request: ProviderRequest): ClientRegistration {
  const { issuer, authentication } = providerSettings(settings, request.provider);
  return {
    provider: request.provider,
    authorizationUrl: request.authorizationUrl,
    tokenUrl: request.tokenUrl,
    clientId: request.clientId,
    clientSecret: request.clientSecret,
    authentication,
    allowLoopbackHttp: settings.allowLoopbackHttp,
    issuer,
  };
}
