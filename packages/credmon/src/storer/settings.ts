// The storer's settings: it runs as the user, reads what condor_submit reads, and needs
// no secret.
import { isAbsolute } from 'node:path';
import {
  createKnobReader,
  knob,
  readNamedTrust,
  type Config,
  type KnobReader,
} from '@credmon/core/config';
import { secureEndpoint, type NamedTrust, type SendLimits } from '@credmon/core/base';
import type { ClientRegistration } from '@credmon/core/oauth';
import type { NameRules } from '@credmon/core/credential';
import type { ConfiguredClient } from '../settings/clients.ts';
import type { ProviderLists } from '../settings/lists.ts';
import { readDefaultLifetime } from '../settings/policy.ts';
import {
  readClients,
  readEndpointOrigins,
  readLimits,
  readLists,
  readNames,
} from '../settings/read.ts';

/**
 * What a service adds to a device login: the endpoint, if the administrator names it, and
 * scopes that are always asked for.
 */
export interface DeviceSettings {
  readonly client: ConfiguredClient;
  readonly registration: ClientRegistration;
  readonly extraScopes: readonly string[];
  /** True when jobs may read the ID token. */
  readonly useIdToken: boolean;
  /** Seconds that an access token counts as valid when neither answer nor token says. */
  readonly defaultLifetime: number;
  /** True when CREDMON_DEVICE_PROVIDER_NAMES names the service. */
  readonly listed: boolean;
  /** True when users can sign in with a browser, and no knob names a device endpoint. */
  readonly signsInOnWeb: boolean;
  /** Servers beside the issuer's own that its metadata may name. */
  readonly origins: readonly string[];
}

/** What the storer takes from the configuration. */
export interface StorerSettings {
  readonly lists: ProviderLists;
  readonly names: NameRules;
  readonly limits: SendLimits;
  /** The certificate authorities that the configuration names. */
  readonly namedTrust: NamedTrust;
  readonly allowLoopbackHttp: boolean;
  readonly getTokenOptions: string;
  /** Where HTCondor's programs are when PATH does not say. */
  readonly programFolders: readonly string[];
  readonly verbose: boolean;
  readonly hasClient: (service: string) => boolean;
  /** Scopes and audience of a request that names none. */
  readonly defaults: (service: string) => { readonly scopes: string; readonly audience: string };
  readonly device: (service: string) => DeviceSettings | undefined;
  readonly pelican: (service: string) => PelicanSettings;
}

/** Where Pelican's tokens are for, and what they allow. */
export interface PelicanSettings {
  readonly url: string;
  readonly permissions: readonly string[];
}

/** Reads the settings. @throws CodedError `CONFIG_INVALID` with every mistake */
export function readStorerSettings(config: Config): StorerSettings {
  const read = createKnobReader(config);
  const allowLoopbackHttp = read.boolean('CREDMON_ALLOW_LOOPBACK_HTTP');
  const clients = readClients(config, read, allowLoopbackHttp);
  const origins = readEndpointOrigins(read, allowLoopbackHttp);
  const defaultLifetime = readDefaultLifetime(read);
  const settings = {
    lists: readLists(read),
    names: readNames(config, read),
    limits: readLimits(read),
    namedTrust: readNamedTrust(read),
    allowLoopbackHttp,
    programFolders: [...programFolders(read), '/usr/sbin', '/usr/bin'],
    getTokenOptions: read.string('SEC_CREDENTIAL_GETTOKEN_OPTS') ?? '',
    verbose: /(^|\s)(-[vd]|--verbose)(\s|$)/.test(
      read.string('SEC_CREDENTIAL_VAULT_STORER_OPTS') ?? '',
    ),
    hasClient: (service: string) => clients.has(service.toUpperCase()),
    defaults: (service: string) => ({
      scopes: read.string(knob('<PROVIDER>_DEFAULT_SCOPES', service)) ?? '',
      audience: read.string(knob('<PROVIDER>_DEFAULT_AUDIENCE', service)) ?? '',
    }),
    device: (service: string) => {
      const client = clients.get(service.toUpperCase());
      return (
        client && {
          ...deviceSettings(read, service, client, allowLoopbackHttp),
          origins,
          defaultLifetime,
        }
      );
    },
    pelican: (service: string) => ({
      url:
        (read.string(knob('<PROVIDER>_PELICAN_URL', service)) ?? '') +
        (read.string(knob('<PROVIDER>_PELICAN_PREFIX', service)) ?? ''),
      permissions: read.list(knob('<PROVIDER>_PELICAN_PERMISSIONS', service)),
    }),
  };
  read.finish();
  return settings;
}

/** HTCondor installs condor_store_cred into SBIN. */
function programFolders(read: KnobReader): string[] {
  return [read.string('SBIN'), read.string('BIN')].flatMap((folder) => {
    return folder !== undefined && isAbsolute(folder) ? [folder] : [];
  });
}

function deviceSettings(
  read: KnobReader,
  service: string,
  client: ConfiguredClient,
  allowLoopbackHttp: boolean,
): Omit<DeviceSettings, 'origins' | 'defaultLifetime'> {
  const { clientId, tokenUrl, issuer, authentication } = client;
  const deviceUrl = read.string(knob('CREDMON_<PROVIDER>_DEVICE_URL', service));
  if (deviceUrl !== undefined)
    secureEndpoint(deviceUrl, `CREDMON_${service}_DEVICE_URL`, allowLoopbackHttp);
  const extraScopes = read.list(knob('CREDMON_<PROVIDER>_EXTRA_SCOPES', service)) ?? [];
  const listed = (read.list('CREDMON_DEVICE_PROVIDER_NAMES') ?? []).includes(service);
  const hasPage = read.string(knob('<PROVIDER>_AUTHORIZATION_URL', service)) !== undefined;
  const useIdToken = read.boolean(knob('CREDMON_<PROVIDER>_USE_ID_TOKEN', service));
  read.finish();
  return {
    client,
    extraScopes,
    useIdToken,
    listed,
    signsInOnWeb: hasPage && deviceUrl === undefined,
    registration: {
      provider: service,
      clientId,
      tokenUrl,
      authentication,
      allowLoopbackHttp,
      ...(issuer === undefined ? {} : { issuer }),
      ...(deviceUrl === undefined ? {} : { deviceUrl }),
    },
  };
}
