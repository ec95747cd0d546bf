// Reads the settings of the portal from the configuration; one error lists all mistakes.
import {
  configuredProviders,
  createKnobReader,
  knobDefault,
  readCondorIds,
  readCredentialDirectory,
  readNamedTrust,
  type Config,
  type KnobReader,
} from '@credmon/core/config';
import { judgeProviderNames, type NameRules } from '@credmon/core/credential';
import type { NamedTrust } from '@credmon/core/base';
import { logSettings } from '@credmon/core/log';
import { parseListenAddress, readPrefix } from './addresses.ts';
import { readEndpointOrigins } from '@credmon/core/profiles';
import { readLocalIssuer, readProviders } from './providers.ts';
import { readRemoteUser } from './remote-user.ts';
import { readSessionStore } from './session-store.ts';
import type { ListenAddress, Settings } from './settings.ts';

/**
 * Overload limit: the delay of the event loop in seconds. Without overload, the delay is
 * never longer.
 */
const OVERLOAD = 2;

/** What stands for an address that cannot be used: the settings are refused anyway. */
const DEFAULT_LISTEN = parseListenAddress(knobDefault('CREDMON_WEB_LISTEN')) as ListenAddress;

/**
 * The log contains user names, so other users must not read it. Under systemd, standard
 * error goes to the journal.
 */
export const LOG_OPTIONS = { unnamed: 'standard error', mode: 0o640 } as const;
/** The portal has no flags that change its log. */
export const NO_OVERRIDES = { logFile: undefined, debug: false, verbose: false } as const;

/**
 * Reads the settings. `flag` is the value of --listen; it overrides the knob.
 * @throws CodedError `CONFIG_INVALID`; its message lists all mistakes, one per line, with
 * file and line
 */
export function readSettings(config: Config, flag?: ListenAddress): Settings {
  const read = createKnobReader(config);
  const allowLoopbackHttp = read.boolean('CREDMON_ALLOW_LOOPBACK_HTTP');
  const web = readPrefix(read, allowLoopbackHttp);
  const credentialDirectory = readCredentialDirectory(read);
  const listen = flag ?? readListen(read);
  const settings: Settings = {
    ...web,
    listen,
    credentialDirectory,
    host: config.get('FULL_HOSTNAME') ?? new URL(web.prefix).hostname,
    trustedProxies: read.list('CREDMON_WEB_TRUSTED_PROXIES'),
    sessionDirectory: readSessionDirectory(read, credentialDirectory),
    sessionCount: read.integer('CREDMON_WEB_SESSION_LIMIT'),
    sessionIdleSeconds: read.duration('CREDMON_WEB_SESSION_IDLE'),
    sessionSeconds: read.duration('CREDMON_WEB_SESSION_LIFETIME'),
    loginSeconds: read.duration('CREDMON_WEB_LOGIN_LIFETIME'),
    keySeconds: read.duration('CREDMON_WEB_KEY_LIFETIME'),
    overloadSeconds: OVERLOAD,
    requestsPerMinute: read.integer('CREDMON_WEB_RATE_LIMIT'),
    log: logSettings(read, 'CREDMON_WEB', NO_OVERRIDES, LOG_OPTIONS),
    allowLoopbackHttp,
    endpointOrigins: readEndpointOrigins(read, allowLoopbackHttp),
    providers: readProviders(config, read, allowLoopbackHttp),
    defaultTokenSeconds: read.integer('CREDMON_DEFAULT_TOKEN_LIFETIME'),
    connectSeconds: read.integer('CREDMON_CONNECT_TIMEOUT'),
    requestSeconds: read.integer('CREDMON_REQUEST_TIMEOUT'),
    localIssuer: readLocalIssuer(config, read, web.prefix),
    condorIds: readCondorIds(config, read),
    names: readNames(config),
    namedTrust: namedTrust(readNamedTrust(read)),
    sessionStore: readSessionStore(read),
    metricsListen: readMetricsListen(read),
    contact: read.string('CREDMON_WEB_CONTACT'),
    remoteUser: readRemoteUser(read, listen),
  };
  read.boolean('CREDMON_ALLOW_SPECIAL_CHAR_NAMES');
  read.finish();
  return Object.freeze(settings);
}

/** Returns `undefined` if no provider name is ambiguous. */
function readNames(config: Config): NameRules | undefined {
  const rules = judgeProviderNames(configuredProviders(config));
  return rules.specialNames || rules.problems.length > 0 ? rules : undefined;
}

const namedTrust = (named: NamedTrust): NamedTrust | undefined =>
  named.caFile === undefined && named.caDirectory === undefined ? undefined : named;

function readSessionDirectory(read: KnobReader, credentialDirectory: string): string {
  const knob = 'CREDMON_WEB_SESSION_DIR';
  const path = read.path(knob);
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
      `= ${text} cannot be used: metrics have no authentication; use unix:/path, fd:N, 127.0.0.1:PORT or [::1]:PORT`,
    );
  else return address;
  return undefined;
}
