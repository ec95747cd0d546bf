// The storer's settings. It runs as the user, reads the same knobs as condor_submit, and
// needs no secret.
import { isAbsolute } from 'node:path';
import {
  createKnobReader,
  knob,
  readNamedTrust,
  type Config,
  type KnobReader,
} from '@credmon/core/config';
import type { NamedTrust, SendLimits } from '@credmon/core/base';
import type { RegistrationDraft } from '@credmon/core/oauth';
import {
  defaultLifetimeOf,
  readEndpointOrigins,
  readIssuerPolicies,
  type IssuerPolicy,
} from '@credmon/core/profiles';
import type { NameRules } from '@credmon/core/credential';
import type { ConfiguredClient } from '../settings/clients.ts';
import type { ProviderLists } from '../settings/lists.ts';
import { readDefaultLifetime } from '../settings/policy.ts';
import { readClients, readLimits, readLists, readNames } from '../settings/read.ts';

/** The settings of a service's device login. */
export interface DeviceSettings {
  readonly client: ConfiguredClient;
  readonly draft: RegistrationDraft;
  readonly policy: IssuerPolicy;
  /**
   * Seconds that an access token counts as valid when neither answer nor token says;
   * infinite if such tokens do not expire.
   */
  readonly defaultLifetime: number;
  /** True when the service is listed in CREDMON_DEVICE_PROVIDER_NAMES. */
  readonly listed: boolean;
  /** True when users can sign in with a browser, and no device endpoint is configured. */
  readonly signsInOnWeb: boolean;
  /** Additional origins that the issuer's metadata may name. */
  readonly origins: readonly string[];
}

/** The storer's settings. */
export interface StorerSettings {
  readonly lists: ProviderLists;
  readonly names: NameRules;
  readonly limits: SendLimits;
  /** The configured certificate authorities. */
  readonly namedTrust: NamedTrust;
  readonly allowLoopbackHttp: boolean;
  readonly getTokenOptions: string;
  /** Where to find HTCondor's programs if not in PATH. */
  readonly programFolders: readonly string[];
  readonly verbose: boolean;
  readonly hasClient: (service: string) => boolean;
  /** Default scopes and audience of a request. */
  readonly defaults: (service: string) => { readonly scopes: string; readonly audience: string };
  readonly device: (service: string) => DeviceSettings | undefined;
  readonly pelican: (service: string) => PelicanSettings;
}

/** The service and the permissions of Pelican's tokens. */
export interface PelicanSettings {
  readonly url: string;
  readonly permissions: readonly string[];
}

/** Reads the settings. @throws CodedError `CONFIG_INVALID` with every mistake */
export function readStorerSettings(config: Config): StorerSettings {
  const read = createKnobReader(config);
  const allowLoopbackHttp = read.boolean('CREDMON_ALLOW_LOOPBACK_HTTP');
  const policies = readIssuerPolicies(config, read, allowLoopbackHttp);
  const clients = readClients(config, read, policies, allowLoopbackHttp);
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
          defaultLifetime: defaultLifetimeOf(client.policy, defaultLifetime),
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

/** HTCondor installs condor_store_cred in SBIN. */
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
  const { clientId, tokenUrl, policy } = client;
  const listed = (read.list('CREDMON_DEVICE_PROVIDER_NAMES') ?? []).includes(service);
  const hasPage = read.string(knob('<PROVIDER>_AUTHORIZATION_URL', service)) !== undefined;
  read.finish();
  return {
    client,
    policy,
    listed,
    signsInOnWeb: hasPage && policy.endpoints.deviceUrl === undefined,
    draft: {
      provider: service,
      policy,
      clientId,
      tokenUrl,
      allowLoopbackHttp,
      needs: ['deviceUrl'],
      login: true,
    },
  };
}
