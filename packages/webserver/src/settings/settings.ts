// The settings of the portal as a frozen value, which read.ts reads from the
// configuration; and where sessions are stored: a directory, or a Redis server that
// several hosts share.
import { type NamedTrust, isLoopbackHost } from '@credmon/core/base';
import type { AccountIds, KnobReader } from '@credmon/core/config';
import type { NameRules } from '@credmon/core/credential';
import type { LogOptions } from '@credmon/core/log';
import { type IssuerPolicy, policyOf } from '@credmon/core/profiles';

/** Where the server listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly descriptor: number };

/** The knobs of one provider, in addition to its key file. */
export interface ProviderSettings {
  /** What depends on the issuer. */
  readonly policy: IssuerPolicy;
  /**
   * CREDMON_<PROVIDER>_USER_CLAIM: the claim of the ID token that must be equal to the
   * local user.
   */
  readonly userClaim?: string | undefined;
}

/** Settings of the web server. Durations are seconds, directories absolute. */
export interface Settings {
  readonly credentialDirectory: string;
  /** The account of CONDOR_IDS; missing for the user condor. */
  readonly condorIds?: AccountIds | undefined;
  /** CREDMON_WEB_PREFIX: `https://host/path`, without a slash at the end. */
  readonly prefix: string;
  /** The path of the prefix, which all routes begin with: empty, or `/path`. */
  readonly mount: string;
  /** True if browsers use https. */
  readonly secure: boolean;
  /** The host name of the Access Point, shown on pages. */
  readonly host: string;
  readonly listen: ListenAddress;
  /** The address of the metrics, only reachable on this machine. */
  readonly metricsListen?: ListenAddress | undefined;
  readonly trustedProxies: readonly string[];
  readonly sessionDirectory: string;
  /** The Redis server that replaces the session directory. */
  readonly sessionStore?: RedisAddress | undefined;
  /** The largest number of open sessions. */
  readonly sessionCount: number;
  readonly sessionIdleSeconds: number;
  readonly sessionSeconds: number;
  readonly loginSeconds: number;
  readonly keySeconds: number;
  readonly requestsPerMinute: number;
  /**
   * Requests get status 503 while the delay of the event loop is longer than this, in
   * seconds; 0: never.
   */
  readonly overloadSeconds: number;
  /**
   * The REMOTE_USER header of the proxy (lower case), and the realm that is removed from
   * its value.
   */
  readonly remoteUser?: { readonly header: string; readonly realm?: string } | undefined;
  /** The contact for users: an address or a sentence. */
  readonly contact?: string | undefined;
  /** Where to log, and whether to log each request. */
  readonly log: LogOptions;
  readonly allowLoopbackHttp: boolean;
  /** Additional origins that issuers' metadata may name. */
  readonly endpointOrigins: readonly string[];
  /** By upper-case provider name. */
  readonly providers: ReadonlyMap<string, ProviderSettings>;
  /**
   * Providers with `_` in their names, and whether tokens have handles; missing if no
   * name is ambiguous.
   */
  readonly names?: NameRules | undefined;
  /** The lifetime of tokens whose issuer does not send one. */
  readonly defaultTokenSeconds: number;
  readonly connectSeconds: number;
  readonly requestSeconds: number;
  /** The certificate authorities of AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR. */
  readonly namedTrust?: NamedTrust | undefined;
  readonly localIssuer: {
    readonly issuer: string;
    readonly publicKeyFile: string;
    readonly keyId: string;
    /** Key directories that sign for this issuer; missing if there are none. */
    readonly keyDirectories?: readonly string[] | undefined;
  };
}

const NO_POLICIES: ReadonlyMap<string, IssuerPolicy> = new Map();

/**
 * Returns the settings of a provider; names are case-insensitive, like knobs. A provider
 * without knobs, such as HTCondor's own gdrive, has the policy of its name.
 */
export function providerSettings(settings: Settings, provider: string): ProviderSettings {
  return (
    settings.providers.get(provider.toUpperCase()) ?? { policy: policyOf(NO_POLICIES, provider) }
  );
}

/**
 * A Redis or Valkey server. The password file is read when the portal connects at start
 * or reload.
 */
export type RedisAddress = (
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: boolean }
) & {
  readonly database: number;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
};

const KNOB = 'CREDMON_WEB_SESSION_STORE';
const FORMS =
  'write rediss://HOST[:PORT][/DATABASE], redis:// for a loopback address, or unix:/path';

/**
 * Returns the configured Redis server; `undefined` for the directory. Errors are added to
 * `read` without text that may be a password.
 */
export function readSessionStore(read: KnobReader): RedisAddress | undefined {
  const text = read.string('CREDMON_WEB_SESSION_STORE');
  const passwordFile = read.path('CREDMON_WEB_SESSION_STORE_PASSWORD_FILE');
  if (text.toLowerCase() === 'directory') {
    if (passwordFile !== undefined)
      read.mistake(
        'CREDMON_WEB_SESSION_STORE_PASSWORD_FILE',
        `is set, but ${KNOB} does not name a server`,
      );
    return undefined;
  }
  const address = parse(text);
  if (typeof address !== 'string') return { ...address, passwordFile };
  read.mistake(KNOB, `cannot be used: ${address}`);
  return undefined;
}

function parse(text: string): RedisAddress | string {
  const path = /^unix:(.*)$/s.exec(text)?.[1];
  if (path !== undefined)
    return path.startsWith('/')
      ? { kind: 'unix', path, database: 0 }
      : 'unix: needs an absolute path';
  if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return FORMS;
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
  if (password !== '')
    return 'it contains a password; use CREDMON_WEB_SESSION_STORE_PASSWORD_FILE instead';
  if (search !== '' || hash !== '' || !/^(\/\d{0,3})?$/.test(pathname) || hostname === '')
    return FORMS;
  const tls = protocol === 'rediss:';
  if (!tls && !isLoopbackHost(hostname))
    return 'redis:// is allowed only for a loopback address; use rediss://';
  return {
    kind: 'tcp',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6379 : Number(port),
    tls,
    database: Number(pathname.slice(1)),
    user: username === '' ? undefined : decodeURIComponent(username),
  };
}
