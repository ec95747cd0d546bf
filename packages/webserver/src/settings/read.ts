// Reads the settings of the portal from the configuration; one error lists all mistakes.
import { parseListenAddress, readPrefix } from './addresses.ts';
import {
  readSessionStore,
  type ListenAddress,
  type ProviderSettings,
  type Settings,
} from './settings.ts';
import type { NamedTrust } from '@credmon/core/base';
import {
  type Config,
  type KnobReader,
  configuredProviders,
  createKnobReader,
  knob,
  knobDefault,
  ownKnob,
  readCondorIds,
  readCredentialDirectory,
  readNamedTrust,
} from '@credmon/core/config';
import { type NameRules, judgeProviderNames } from '@credmon/core/credential';
import { logSettings } from '@credmon/core/log';
import {
  type IssuerPolicy,
  policyOf,
  readEndpointOrigins,
  readIssuerPolicies,
} from '@credmon/core/profiles';

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

/**
 * Reads the settings of every provider that has a knob, by upper-case provider name.
 */
export function readProviders(
  config: Config,
  read: KnobReader,
  allowLoopbackHttp: boolean,
): ReadonlyMap<string, ProviderSettings> {
  const policies = readIssuerPolicies(config, read, allowLoopbackHttp);
  const claimed = config.setNames().flatMap((name) => {
    const provider = /^CREDMON_(.+)_USER_CLAIM$/i.exec(name)?.[1];
    return provider === undefined ? [] : [provider.toUpperCase()];
  });
  return new Map(
    [...new Set([...policies.keys(), ...claimed])].map((provider) => {
      const policy = policyOf(policies, provider);
      return [provider, { policy, userClaim: readUserClaim(read, provider, policy) }];
    }),
  );
}

function readUserClaim(
  read: KnobReader,
  provider: string,
  { issuer }: IssuerPolicy,
): string | undefined {
  const userClaim = read.string(knob('CREDMON_<PROVIDER>_USER_CLAIM', provider));
  if (userClaim !== undefined && issuer === undefined)
    read.mistake(
      `CREDMON_${provider}_USER_CLAIM`,
      `needs CREDMON_${provider}_ISSUER: without it no ID token can be verified`,
    );
  return userClaim;
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
  const own = config.setNames().flatMap((name) => {
    const provider = /^CREDMON_(.+)_KEY_DIRECTORY$/i.exec(name)?.[1];
    if (provider === undefined || provider.toUpperCase() === 'LOCAL') return [];
    if ((read.string(ownKnob('LOCAL_CREDMON_ISSUER', provider)) ?? issuer) !== issuer) return [];
    return [read.path(ownKnob('CREDMON_LOCAL_KEY_DIRECTORY', provider))];
  });
  return [...new Set([shared, ...own])].filter((path) => path !== undefined);
}

const KNOB = 'CREDMON_WEB_REMOTE_USER_HEADER';
const REALM_KNOB = 'CREDMON_WEB_REMOTE_USER_REALM';

/**
 * Header names with another meaning in HTTP, browsers, proxies or the portal, in lower
 * case. `-` at the end matches every name with this prefix.
 * @see https://www.iana.org/assignments/http-fields/http-fields.xhtml
 */
const TAKEN = [
  ...'accept accept- access-control- age allow alt-svc alt-used authorization authentication-info'.split(
    ' ',
  ),
  ...'cache-control cdn-loop connection content- cookie cookie2 date dnt early-data etag expect expires'.split(
    ' ',
  ),
  ...'forwarded from host http2-settings if- keep-alive last-event-id last-modified link location'.split(
    ' ',
  ),
  ...'max-forwards origin pragma prefer priority proxy-authenticate proxy-authorization proxy-connection'.split(
    ' ',
  ),
  ...'range referer retry-after save-data sec- server service-worker set-cookie set-cookie2'.split(
    ' ',
  ),
  ...'strict-transport-security te trailer transfer-encoding upgrade upgrade-insecure-requests'.split(
    ' ',
  ),
  ...'user-agent vary via warning www-authenticate x-real-ip'.split(' '),
  ...'for host port proto protocol scheme server by prefix path ssl uri client-cert'
    .split(' ')
    .map((name) => `x-forwarded-${name}`),
];

/**
 * Reads the header (lower case), and the realm that is removed from its value. Errors in
 * `read`: an invalid name, or a TCP port, which other users of this machine can open.
 */
export function readRemoteUser(read: KnobReader, listen: ListenAddress): Settings['remoteUser'] {
  const name = read.string('CREDMON_WEB_REMOTE_USER_HEADER');
  const realm = read.string('CREDMON_WEB_REMOTE_USER_REALM');
  if (name === undefined) {
    if (realm !== undefined) read.mistake(REALM_KNOB, `is set, but ${KNOB} is not`);
    return undefined;
  }
  const header = name.toLowerCase();
  const problem = headerProblem(header);
  if (problem !== undefined)
    read.mistake(KNOB, `= ${name} cannot be used: ${problem}; use a name such as X-Remote-User`);
  if (listen.kind === 'tcp')
    read.mistake(
      KNOB,
      `cannot be used with a TCP port (${listen.host}:${listen.port}): any local user could send this header; fix: ` +
        'set CREDMON_WEB_LISTEN = unix:/path in a directory of the group of the proxy, or fd:3 for a systemd socket',
    );
  return realm === undefined ? { header } : { header, realm };
}

/**
 * Returns why a header name (lower case) cannot be used; `undefined` if it can.
 * @see RFC 9110, section 5.1
 */
export function headerProblem(header: string): string | undefined {
  if (header.includes('_'))
    return 'proxies drop a header with _ in its name or treat it as the one with -';
  if (!/^[a-z][a-z0-9-]*$/.test(header)) return 'it is not a header name (letters, digits and -)';
  const taken = TAKEN.some((name) =>
    name.endsWith('-') ? header.startsWith(name) : header === name,
  );
  return taken ? 'HTTP or the proxy uses this header itself' : undefined;
}
