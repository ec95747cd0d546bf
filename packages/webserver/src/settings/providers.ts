// Reads what the administrator says of single providers: the knobs CREDMON_<PROVIDER>_*.
import { secureEndpoint, messageOf } from '@credmon/core/base';
import type { ClientAuthentication, ClientRegistration } from '@credmon/core/oauth';
import type { Config, KnobReader } from '@credmon/core/config';
import { type ProviderSettings, type Settings, providerSettings } from './settings.ts';
import type { ProviderRequest } from '@credmon/core/credential';

/**
 * The knobs of a provider; CREDMON_RENEWALS_PER_ISSUER is the daemon's. A name such as
 * CREDMON_WEB_ISSUER would be that of a provider called WEB.
 */
const KNOB =
  /^CREDMON_(?!RENEWALS_PER_)(.+)_(ISSUER|CLIENT_AUTH|USER_CLAIM|EXTRA_SCOPES|USE_ID_TOKEN|REVOCATION_URL)$/i;

/** Settings by upper-case provider name, for every provider that any such knob names. */
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
  const issuer = read.string(`CREDMON_${provider}_ISSUER`);
  const userClaim = read.string(`CREDMON_${provider}_USER_CLAIM`);
  if (issuer !== undefined && !URL.canParse(issuer))
    read.mistake(`CREDMON_${provider}_ISSUER`, `= ${issuer} is not a URL`);
  if (userClaim !== undefined && issuer === undefined)
    read.mistake(
      `CREDMON_${provider}_USER_CLAIM`,
      `needs CREDMON_${provider}_ISSUER: without it no ID token can be verified`,
    );
  const revocationUrl = readRevocationUrl(
    read,
    `CREDMON_${provider}_REVOCATION_URL`,
    allowLoopbackHttp,
  );
  return {
    authentication: readAuthentication(read, `CREDMON_${provider}_CLIENT_AUTH`),
    extraScopes: read.list(`CREDMON_${provider}_EXTRA_SCOPES`) ?? [],
    ...(read.boolean(`CREDMON_${provider}_USE_ID_TOKEN`, false) ? { useIdToken: true } : {}),
    ...(issuer === undefined ? {} : { issuer }),
    ...(revocationUrl === undefined ? {} : { revocationUrl }),
    ...(userClaim === undefined ? {} : { userClaim }),
  };
}

function readRevocationUrl(
  read: KnobReader,
  knob: string,
  allowLoopbackHttp: boolean,
): string | undefined {
  const url = read.string(knob);
  if (url === undefined) return undefined;
  try {
    return secureEndpoint(url, knob, allowLoopbackHttp).href;
  } catch (error) {
    read.mistake(knob, `cannot be used: ${messageOf(error)}`);
    return undefined;
  }
}

function readAuthentication(read: KnobReader, knob: string): ClientAuthentication {
  const value = read.string(knob)?.toLowerCase() ?? 'post';
  if (value === 'post' || value === 'basic') return value;
  read.mistake(knob, `= ${value} must be post or basic`);
  return 'post';
}

// The local issuer as the portal publishes it: the shared one, LOCAL_CREDMON_ISSUER, with
// every key that signs in its name.

/** Reads it; `prefix` is the issuer where no knob names one. */
export function readLocalIssuer(
  config: Config,
  read: KnobReader,
  prefix: string,
): Settings['localIssuer'] {
  const issuer = read.string('LOCAL_CREDMON_ISSUER') ?? prefix;
  const keyDirectories = readKeyDirectories(config, read, issuer);
  return {
    issuer,
    publicKeyFile: read.path('LOCAL_CREDMON_PUBLIC_KEY') ?? '/etc/condor/scitokens.pem',
    keyId: read.string('LOCAL_CREDMON_KEY_ID') ?? 'local',
    ...(keyDirectories.length === 0 ? {} : { keyDirectories }),
  };
}

/** A provider with an issuer of its own publishes its keys there, not here. */
function readKeyDirectories(config: Config, read: KnobReader, issuer: string): readonly string[] {
  const shared = read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  const own = config.names().flatMap((knob) => {
    const provider = /^CREDMON_(.+)_KEY_DIRECTORY$/i.exec(knob)?.[1];
    if (provider === undefined || provider.toUpperCase() === 'LOCAL') return [];
    const its = 'LOCAL_CREDMON_ISSUER'.replace('_CREDMON_', () => `_CREDMON_${provider}_`);
    if ((read.string(its) ?? issuer) !== issuer) return [];
    return [read.path(`CREDMON_${provider}_KEY_DIRECTORY`)];
  });
  return [...new Set([shared, ...own])].filter((path) => path !== undefined);
}

// Joins what the key file and the administrator say of a provider into the client that
// core logs in with.

/**
 * The client at the provider's issuer. Endpoints and secret are the key file's, which
 * only CredD can write.
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
    ...(issuer === undefined ? {} : { issuer }),
  };
}
