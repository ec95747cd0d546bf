// The settings of the portal as a frozen value; read.ts makes it from the configuration.
import { knobDefault, type AccountIds } from '@credmon/core/config';
import type { ClientAuthentication } from '@credmon/core/oauth';
import type { NameRules } from '@credmon/core/credential';
import type { NamedTrust } from '@credmon/core/base';
import type { RedisAddress } from './session-store.ts';
import type { LogOptions } from '@credmon/core/log';

/** Where the server listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly descriptor: number };

/** What the administrator says of one provider beyond its key file. */
export interface ProviderSettings {
  /** CREDMON_<PROVIDER>_ISSUER: the exact issuer identifier. */
  readonly issuer?: string;
  /** CREDMON_<PROVIDER>_CLIENT_AUTH */
  readonly authentication: ClientAuthentication;
  /**
   * CREDMON_<PROVIDER>_USER_CLAIM: the ID token's claim that must equal the local user.
   */
  readonly userClaim?: string;
  /** CREDMON_<PROVIDER>_REVOCATION_URL: where a declined sign-in's tokens are revoked. */
  readonly revocationUrl?: string;
  /** CREDMON_<PROVIDER>_EXTRA_SCOPES: may be granted without having been asked for. */
  readonly extraScopes: readonly string[];
  /** CREDMON_<PROVIDER>_USE_ID_TOKEN: jobs may read the ID token. */
  readonly useIdToken?: boolean;
}

/** Settings of the web server. Durations are seconds, directories absolute. */
export interface Settings {
  readonly credentialDirectory: string;
  /** The account that CONDOR_IDS names; the user condor where it is not set. */
  readonly condorIds?: AccountIds;
  /** CREDMON_WEB_PREFIX: `https://host/path`, without a slash at its end. */
  readonly prefix: string;
  /** The path of the prefix, under which all routes lie: empty, or `/path`. */
  readonly mount: string;
  /** True when browsers come over https. */
  readonly secure: boolean;
  /** The Access Point's name, as pages show it. */
  readonly host: string;
  readonly listen: ListenAddress;
  /** Where the metrics are served, on this machine only. */
  readonly metricsListen?: ListenAddress;
  readonly trustedProxies: readonly string[];
  readonly sessionDirectory: string;
  /** Keeps sessions instead of the directory. */
  readonly sessionStore?: RedisAddress;
  /** How many sessions may be open at once. */
  readonly sessionCount: number;
  readonly sessionIdleSeconds: number;
  readonly sessionSeconds: number;
  readonly loginSeconds: number;
  readonly keySeconds: number;
  readonly requestsPerMinute: number;
  /**
   * While the event loop is late by more than this, in seconds, requests get status 503;
   * 0: never.
   */
  readonly overloadSeconds: number;
  /**
   * The header in which the proxy passes REMOTE_USER (lower case), and the realm that is
   * cut from it.
   */
  readonly remoteUser?: { readonly header: string; readonly realm?: string };
  /** Whom users should ask: an address or a sentence. */
  readonly contact?: string;
  /** Where to log, and whether every request is told. */
  readonly log: LogOptions;
  readonly allowLoopbackHttp: boolean;
  /** By upper-case provider name. */
  readonly providers: ReadonlyMap<string, ProviderSettings>;
  /**
   * Providers whose names contain `_`, and whether tokens have handles; missing where
   * there is nothing to say.
   */
  readonly names?: NameRules;
  /** For tokens whose issuer does not say how long they live. */
  readonly defaultTokenSeconds: number;
  readonly connectSeconds: number;
  readonly requestSeconds: number;
  /**
   * The certificate authorities that AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR
   * name.
   */
  readonly namedTrust?: NamedTrust;
  readonly localIssuer: {
    readonly issuer: string;
    readonly publicKeyFile: string;
    readonly keyId: string;
    /**
     * Key directories that sign in the name of this issuer; missing where there are none.
     */
    readonly keyDirectories?: readonly string[];
  };
}

/** A provider that no knob names. */
const UNNAMED: ProviderSettings = {
  authentication: knobDefault('CREDMON_<PROVIDER>_CLIENT_AUTH') as ClientAuthentication,
  extraScopes: [],
};

/** The administrator's word on a provider; names compare without case, as knobs do. */
export function providerSettings(settings: Settings, provider: string): ProviderSettings {
  return settings.providers.get(provider.toUpperCase()) ?? UNNAMED;
}
