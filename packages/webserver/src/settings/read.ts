// Reads the portal's settings from the configuration, once, with every mistake listed.
import {
  configuredProviders,
  createKnobReader,
  readCondorIds,
  readNamedTrust,
  type Config,
  type KnobReader,
} from '@credmon/core/config';
import { judgeProviderNames, type NameRules } from '@credmon/core/credential';
import type { NamedTrust } from '@credmon/core/base';
import { logSettings } from '@credmon/core/log';
import { parseListenAddress, readPrefix } from './addresses.ts';
import { readLocalIssuer, readProviders } from './providers.ts';
import { readRemoteUser } from './remote-user.ts';
import { readSessionStore } from './session-store.ts';
import type { ListenAddress, Settings } from './settings.ts';

/**
 * The event loop of a portal that is not overloaded is never late by more than this, in
 * seconds.
 */
const OVERLOAD = 2;

/** Where the server listens when nobody says. */
const DEFAULT_LISTEN: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 8081 };
const HOUR = 3600;
/**
 * A systemd unit keeps standard error; the log names users, so it is not for everybody.
 */
export const LOG_HABITS = { unnamed: 'standard error', mode: 0o640 } as const;
/** No flag of the portal changes its log. */
export const NO_OVERRIDES = { logFile: undefined, debug: false, verbose: false } as const;

/**
 * Reads the settings; `flag` is the --listen flag, which wins over the knob.
 * @throws CodedError `CONFIG_INVALID` whose message lists every mistake, one per line,
 * each with file and line
 */
export function readSettings(config: Config, flag?: ListenAddress): Settings {
  const read = createKnobReader(config);
  const allowLoopbackHttp = read.boolean('CREDMON_ALLOW_LOOPBACK_HTTP', false);
  const web = readPrefix(config, read, allowLoopbackHttp);
  const credentialDirectory = readCredentialDirectory(read);
  const listen = flag ?? readListen(read);
  const settings: Settings = {
    ...web,
    listen,
    credentialDirectory,
    host: config.get('FULL_HOSTNAME') ?? new URL(web.prefix).hostname,
    trustedProxies: read.list('CREDMON_WEB_TRUSTED_PROXIES') ?? ['127.0.0.1', '::1'],
    sessionDirectory: readSessionDirectory(read, credentialDirectory),
    sessionCount: read.integer('CREDMON_WEB_SESSION_LIMIT', 10_000, 10, 1_000_000),
    sessionIdleSeconds: read.seconds('CREDMON_WEB_SESSION_IDLE', HOUR / 2, 60, 24 * HOUR),
    sessionSeconds: read.seconds('CREDMON_WEB_SESSION_LIFETIME', 8 * HOUR, 60, 24 * HOUR),
    loginSeconds: read.seconds('CREDMON_WEB_LOGIN_LIFETIME', HOUR / 6, 30, HOUR),
    keySeconds: read.seconds('CREDMON_WEB_KEY_LIFETIME', 12 * HOUR, 60, 12 * HOUR),
    overloadSeconds: OVERLOAD,
    requestsPerMinute: read.integer('CREDMON_WEB_RATE_LIMIT', 300, 1, 1_000_000),
    log: logSettings(read, 'CREDMON_WEB', NO_OVERRIDES, LOG_HABITS),
    allowLoopbackHttp,
    providers: readProviders(config, read, allowLoopbackHttp),
    defaultTokenSeconds: read.integer('CREDMON_DEFAULT_TOKEN_LIFETIME', 1200, 10, 31_536_000),
    connectSeconds: read.integer('CREDMON_CONNECT_TIMEOUT', 5, 1, 300),
    requestSeconds: read.integer('CREDMON_REQUEST_TIMEOUT', 15, 1, 600),
    localIssuer: readLocalIssuer(config, read, web.prefix),
    ...optional('condorIds', readCondorIds(config, read)),
    ...optional('names', readNames(config)),
    ...optional('namedTrust', namedTrust(readNamedTrust(read))),
    ...optional('sessionStore', readSessionStore(read)),
    ...optional('metricsListen', readMetricsListen(read)),
    ...optional('contact', read.string('CREDMON_WEB_CONTACT')),
    ...optional('remoteUser', readRemoteUser(read, listen)),
  };
  read.boolean('CREDMON_ALLOW_SPECIAL_CHAR_NAMES', false);
  read.finish();
  return Object.freeze(settings);
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [key in K]?: V });
}

/** Nothing where every name is read in the same way by everybody. */
function readNames(config: Config): NameRules | undefined {
  const rules = judgeProviderNames(configuredProviders(config));
  return rules.specialNames || rules.problems.length > 0 ? rules : undefined;
}

const namedTrust = (named: NamedTrust): NamedTrust | undefined =>
  named.caFile === undefined && named.caDirectory === undefined ? undefined : named;

function readCredentialDirectory(read: KnobReader): string {
  const path = read.path('SEC_CREDENTIAL_DIRECTORY_OAUTH') ?? read.path('SEC_CREDENTIAL_DIRECTORY');
  if (path === undefined)
    read.mistake(
      'SEC_CREDENTIAL_DIRECTORY_OAUTH',
      'is not set; add "use feature : OAUTH", or set it to the credential directory',
    );
  return path ?? '';
}

function readSessionDirectory(read: KnobReader, credentialDirectory: string): string {
  const knob = 'CREDMON_WEB_SESSION_DIR';
  const path = read.path(knob) ?? '/var/lib/condor/credmon_web_sessions';
  if (
    credentialDirectory !== '' &&
    `${path}/`.startsWith(`${credentialDirectory.replace(/\/+$/, '')}/`)
  )
    read.mistake(knob, `= ${path} is in the credential directory, which belongs to CredD`);
  return path;
}

function readListen(read: KnobReader): ListenAddress {
  const knob = 'CREDMON_WEB_LISTEN';
  const text = read.string(knob);
  if (text === undefined) return DEFAULT_LISTEN;
  const address = parseListenAddress(text);
  if (address.kind !== 'wrong') return address;
  read.mistake(knob, `= ${text} cannot be used: ${address.why}`);
  return DEFAULT_LISTEN;
}

function readMetricsListen(read: KnobReader): ListenAddress | undefined {
  const knob = 'CREDMON_WEB_METRICS_LISTEN';
  const text = read.string(knob);
  if (text === undefined) return undefined;
  const address = parseListenAddress(text);
  if (address.kind === 'wrong') read.mistake(knob, `= ${text} cannot be used: ${address.why}`);
  else if (address.kind === 'tcp' && !['127.0.0.1', '::1'].includes(address.host))
    read.mistake(
      knob,
      `= ${text} cannot be used: nobody has to log in there, so write unix:/path, fd:N, 127.0.0.1:PORT or [::1]:PORT`,
    );
  else return address;
  return undefined;
}
