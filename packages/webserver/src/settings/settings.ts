// The settings of the portal as a frozen value; read.ts reads them from the
// configuration.
import type { AccountIds } from '@credmon/core/config';
import { policyOf, type IssuerPolicy } from '@credmon/core/profiles';
import type { NameRules } from '@credmon/core/credential';
import type { NamedTrust } from '@credmon/core/base';
import type { RedisAddress } from './session-store.ts';
import type { LogOptions } from '@credmon/core/log';

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
