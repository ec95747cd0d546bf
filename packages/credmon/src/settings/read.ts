// Reads the daemon's settings into a frozen value; all mistakes are reported together.
// And where this installation has its programs, for messages that name a program: a
// package has them in /usr/bin, `install-to` below its prefix.
import {
  type ClientKind,
  type ConfiguredClient,
  type TokenClient,
  readTokenClients,
} from './clients.ts';
import { type ProviderLists, overlaps, readDeviceNames, withDeviceNames } from './lists.ts';
import { type LocalSettings, readLocalSettings } from './local.ts';
import { type MetricsAddress, readMetricsAddress, readRunDirectory } from './metrics-address.ts';
import { readPolicy } from './policy.ts';
import { type StandingToken, readStandingTokens, standingClientNames } from './standing.ts';
import { type TokenSettings, readTokenSettings, signersIn } from './token-source.ts';
import {
  type TokenProgram,
  type VaultSettings,
  readTokenPrograms,
  readVaultSettings,
} from './vault.ts';
import {
  DEFAULT_SEND_LIMITS,
  type SendLimits,
  messageOf,
  secureEndpoint,
} from '@credmon/core/base';
import {
  type AccountIds,
  type Config,
  type KnobReader,
  type PlainKnobName,
  type Unset,
  configuredProviders,
  createKnobReader,
  knob,
  loginProviderOf,
  oldKnobs,
  quoteWarnings,
  readCondorIds,
  readCredentialDirectory,
  warningText,
} from '@credmon/core/config';
import { type NameRules, isPlainProviderName, judgeProviderNames } from '@credmon/core/credential';
import { type LogOptions, type LogOverrides, logSettings } from '@credmon/core/log';
import {
  type IssuerPolicy,
  policyAt,
  policyOf,
  readEndpointOrigins,
  readIssuerPolicies,
} from '@credmon/core/profiles';
import type { RenewalPolicy } from '@credmon/core/renewal';
import { basename, dirname } from 'node:path';

/** Where `npm run install-to -- /usr/local` puts the programs. */
const USUAL = '/usr/local/bin';
const NAMES = new Set(['condor_credmon', 'condor_credmon_oauth', 'condor_credential_storer']);

/**
 * Returns the folder with the programs, for the path by which the running program was
 * started. Without an installation (a bundle in a checkout, a test) it is the one that the
 * documentation names.
 *
 * The packages replace HTCondor's /usr/sbin/condor_credmon_oauth; their other programs are
 * in /usr/bin.
 */
export function programFolder(started: string | undefined): string {
  if (started === undefined || !NAMES.has(basename(started))) return USUAL;
  const folder = dirname(started);
  if (!folder.startsWith('/')) return USUAL;
  return folder === '/usr/sbin' ? '/usr/bin' : folder;
}

/** The daemon's settings. */
export interface Settings {
  readonly credDir: string;
  /** The account of CONDOR_IDS; `undefined` for the user condor. */
  readonly condorIds: AccountIds | undefined;
  readonly lists: ProviderLists;
  /** Rules for provider names that contain `_`. */
  readonly names: NameRules;
  /**
   * True when a Vault may serve unlisted names: the list or SEC_CREDENTIAL_STORER is set.
   */
  readonly vaultEnabled: boolean;
  readonly vault: VaultSettings;
  /** Clients by service name in upper case, because knobs are case-insensitive. */
  readonly clients: ReadonlyMap<string, ConfiguredClient>;
  /** What depends on the issuers of providers, by name in upper case: see `policyOf`. */
  readonly policies: ReadonlyMap<string, IssuerPolicy>;
  /** Clients that work without a browser: client credentials and token exchange. */
  readonly tokenClients: readonly TokenClient[];
  /**
   * The only certificate authorities trusted for Pelican's issuers, a PEM file; if not
   * set, the general ones.
   */
  readonly pelicanCaFile: string | undefined;
  readonly tokenPrograms: readonly TokenProgram[];
  readonly local: LocalSettings;
  readonly standing: readonly StandingToken[];
  /** Single tokens: who may ask for one, and the providers. */
  readonly tokens: TokenSettings;
  /** Seconds after which a signing key is rotated; 0 if the administrator rotates. */
  readonly keyRotation: number;
  readonly allowLoopbackHttp: boolean;
  /** Additional origins that issuers' metadata may name. */
  readonly endpointOrigins: readonly string[];
  readonly policy: RenewalPolicy;
  readonly limits: SendLimits;
  /** Seconds during which a late answer is accepted after a request timed out. */
  readonly lateAnswer: number;
  /** Maximum number of concurrent renewals per issuer. */
  readonly perIssuer: number;
  /**
   * The remaining lifetime, in seconds, that a token should have when a job reads it;
   * less causes a warning.
   */
  readonly floor: number;
  /** How often the starter fetches a token again, in seconds (SEC_CREDENTIAL_REFRESH). */
  readonly starterRefresh: number;
  readonly log: LogOptions;
  /** The address of the metrics, if any. */
  readonly metrics: MetricsAddress | undefined;
  /** Directory of the users' status files and requests, if any. */
  readonly runDir: string | undefined;
  readonly warnings: readonly string[];
}

/** Values from the command line. */
export interface Overrides extends LogOverrides {
  readonly credDir: string | undefined;
  /** The folder of the programs, for warnings that name one. */
  readonly programs?: string;
}

/** As HTCondor's own daemons: a world-readable file in $(LOG). */
export const LOG_OPTIONS = { unnamed: 'file', mode: 0o644 } as const;

/**
 * Reads the settings.
 * @throws CodedError `CONFIG_INVALID` with a message that lists every mistake with file
 * and line, one per line
 */
export function readSettings(config: Config, overrides: Overrides): Settings {
  const read = createKnobReader(config);
  const allowLoopbackHttp = read.boolean('CREDMON_ALLOW_LOOPBACK_HTTP');
  const credDir = overrides.credDir ?? readCredentialDirectory(read);
  const lists = readLists(read);
  const clientsOf = (kind: ClientKind, names: readonly string[]): readonly TokenClient[] =>
    readTokenClients(read, kind, names, allowLoopbackHttp);
  const policy = readPolicy(read);
  const tokenClients = [
    ...clientsOf('CLIENT', [...lists.client, ...standingClientNames(config, read, lists)]),
    ...clientsOf('EXCHANGE', lists.exchange),
    ...clientsOf('PELICAN', lists.pelican),
  ];
  const policies = readIssuerPolicies(config, read, allowLoopbackHttp);
  const clients = readClients(config, read, policies, allowLoopbackHttp);
  const settings: Settings = {
    credDir,
    condorIds: readCondorIds(config, read),
    lists,
    names: readNames(config, read),
    vaultEnabled: read.isSet('VAULT_CREDMON_PROVIDER_NAMES') || read.isSet('SEC_CREDENTIAL_STORER'),
    vault: readVaultSettings(read),
    clients,
    policies,
    tokenClients,
    pelicanCaFile: read.path('PELICAN_CREDMON_CA_FILE'),
    tokenPrograms: readTokenPrograms(read, lists.exec, allowLoopbackHttp),
    local: readLocalSettings(config, read, lists.local),
    standing: readStandingTokens(config, read, {
      lists,
      credDir,
      clients: tokenClients,
      logins: clients,
      signers: signersIn(config, lists),
      defaultLifetime: policy.defaultLifetime,
    }),
    tokens: readTokenSettings(config, read, lists, allowLoopbackHttp),
    keyRotation: Math.floor(read.duration('CREDMON_LOCAL_KEY_ROTATE')),
    allowLoopbackHttp,
    endpointOrigins: readEndpointOrigins(read, allowLoopbackHttp),
    policy,
    limits: readLimits(read),
    lateAnswer: read.integer('CREDMON_LATE_ANSWER'),
    perIssuer: read.integer('CREDMON_RENEWALS_PER_ISSUER'),
    floor: read.integer('CREDMON_TOKEN_FLOOR'),
    starterRefresh: read.integer('SEC_CREDENTIAL_REFRESH'),
    log: logSettings(read, config.subsystem, overrides, LOG_OPTIONS),
    metrics: readMetricsAddress(read),
    runDir: readRunDirectory(read, credDir),
    warnings: [
      ...config.warnings.map(warningText),
      ...oldKnobs(config, overrides.programs).map(({ text }) => text),
      ...read.warnings,
    ],
  };
  read.finish();
  return Object.freeze(settings);
}

/**
 * Returns the settings for a command that writes no log; `started` is the path by which this
 * program was started. @throws CodedError `CONFIG_INVALID`
 */
export function settingsOf(
  config: Config,
  { credDir }: Pick<Overrides, 'credDir'>,
  started: string | undefined,
): Settings {
  const programs = programFolder(started);
  return readSettings(config, {
    credDir,
    programs,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
}

/**
 * Returns the settings of the daemon: with warnings, for its log, about quotes around
 * values.
 * @throws CodedError as {@link readSettings}
 */
export function readDaemonSettings(config: Config, overrides: Overrides): Settings {
  const settings = readSettings(config, overrides);
  return Object.freeze({
    ...settings,
    warnings: [...settings.warnings, ...quoteWarnings(config)],
  });
}

/** Evaluates the names of all providers; a name with `_` causes a warning. */
export function readNames(config: Config, read: KnobReader): NameRules {
  const rules = judgeProviderNames(configuredProviders(config));
  for (const { knob, text } of rules.problems)
    read.warning(knob, `names a provider with "_": ${text}`);
  return rules;
}

/**
 * Reads the lists of names, with device names moved as in `withDeviceNames`; mistakes are
 * added to `read`.
 */
export function readLists(read: KnobReader): ProviderLists {
  const specialNames = read.boolean('CREDMON_ALLOW_SPECIAL_CHAR_NAMES');
  const names = <Name extends PlainKnobName>(knob: Name): readonly string[] | Unset<Name> => {
    const list = read.list(knob);
    for (const name of list ?? []) {
      // A name with `_` is not a mistake: readNames warns about it.
      if (!specialNames && name !== '*' && !isPlainProviderName(name.replaceAll('_', ''))) {
        read.mistake(
          knob,
          `names ${JSON.stringify(name)}: a provider name has letters, digits and ` +
            '"-" only (see CREDMON_ALLOW_SPECIAL_CHAR_NAMES)',
        );
      }
    }
    return list;
  };
  const wildcard = (list: readonly string[]): readonly string[] | '*' =>
    list.includes('*') ? '*' : list;
  const lists: ProviderLists = {
    local: names('LOCAL_CREDMON_PROVIDER_NAMES') ?? names('LOCAL_CREDMON_PROVIDER_NAME'),
    client: names('CLIENT_CREDMON_PROVIDER_NAMES') ?? [],
    oauth2: wildcard(names('OAUTH2_CREDMON_PROVIDER_NAMES')),
    vault: wildcard(names('VAULT_CREDMON_PROVIDER_NAMES')),
    pelican: names('PELICAN_CREDMON_PROVIDER_NAMES') ?? [],
    exchange: names('EXCHANGE_CREDMON_PROVIDER_NAMES') ?? [],
    exec: names('EXEC_CREDMON_PROVIDER_NAMES') ?? [],
    specialNames,
  };
  for (const { name, kinds } of overlaps(lists)) {
    const knobs = kinds.map((kind) => `${kind.toUpperCase()}_CREDMON_PROVIDER_NAMES`);
    read.mistake(
      knobs[0] ?? '',
      `and ${knobs.slice(1).join(' and ')} both list ${name}: a name can have only one owner`,
      'first',
    );
  }
  return withDeviceNames(lists, readDeviceNames(read, lists));
}

/** Reads clients by service name in upper case; mistakes are added to `read`. */
export function readClients(
  config: Config,
  read: KnobReader,
  policies: ReadonlyMap<string, IssuerPolicy>,
  allowLoopbackHttp: boolean,
): Map<string, ConfiguredClient> {
  const clients = new Map<string, ConfiguredClient>();
  for (const name of config.setNames()) {
    const service = loginProviderOf(name);
    if (service === undefined) continue;
    const clientId = read.string({ declared: '<PROVIDER>_CLIENT_ID', name });
    const tokenUrl = read.string(knob('<PROVIDER>_TOKEN_URL', service));
    if (clientId === undefined) continue;
    const policy = policyOf(policies, service);
    if ((tokenUrl ?? policy.endpoints.tokenUrl ?? policy.issuer) === undefined) {
      read.warning(
        name,
        `is set, but neither ${service}_TOKEN_URL nor CREDMON_${service}_ISSUER is: the tokens of ` +
          `${service} are renewed only if they have a .meta`,
      );
      continue;
    }
    try {
      if (tokenUrl !== undefined)
        secureEndpoint(tokenUrl, `${service}_TOKEN_URL`, allowLoopbackHttp);
    } catch (error) {
      read.mistake(`${service}_TOKEN_URL`, `is unusable: ${messageOf(error)}`);
    }
    clients.set(service.toUpperCase(), {
      clientId,
      tokenUrl,
      secretFile: read.path(knob('<PROVIDER>_CLIENT_SECRET_FILE', service)),
      policy: policyAt(policy, tokenUrl),
    });
  }
  return clients;
}

/** Reads the limits of a request to an issuer. */
export function readLimits(read: KnobReader): SendLimits {
  return {
    ...DEFAULT_SEND_LIMITS,
    connectSeconds: read.integer('CREDMON_CONNECT_TIMEOUT'),
    totalSeconds: read.integer('CREDMON_REQUEST_TIMEOUT'),
  };
}
