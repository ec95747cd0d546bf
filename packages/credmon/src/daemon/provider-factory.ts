// Builds every kind of provider from the settings.
import { join } from 'node:path';
import type { Random, Send } from '@credmon/core/base';
import { policyOf, type IssuerPolicy } from '@credmon/core/profiles';
import type { Settings } from '../settings/read.ts';
import { clientCredentials } from '../providers/client/credentials.ts';
import type { ClientOptions } from '../providers/client/registration.ts';
import type { ClientKind } from '../settings/clients.ts';
import { execProvider } from '../providers/exec/exec.ts';
import { runProgram } from '../host/run-program.ts';
import { oauthRefresh, type OAuthOptions } from '../providers/oauth/refresh.ts';
import type { Provider, ProviderContext } from '../providers/common/provider.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { tokenExchange } from '../providers/exchange/exchange.ts';
import { createPelicanSend, createVaultSend, type ProcessTrust } from '../host/tls-ca.ts';
import { vaultReader } from '../providers/vault/vault.ts';
import { localSigner } from '../providers/local/signer.ts';
import { localKeys } from '../providers/local/keys.ts';
import { standingLogin } from '../providers/standing/login.ts';
import { standingProvider } from '../providers/standing/standing.ts';
import type { LocalPorts } from '../providers/local/ports.ts';

/** The providers by kind; without a provider of its kind, a token is not renewed. */
export type Providers = Partial<Readonly<Record<ProviderKind, Provider>>>;

/**
 * The ports that providers are built with. `secretVersion` changes when a secret file is
 * replaced or rewritten.
 */
export interface ProviderPorts {
  readonly secretVersion: (path: string) => string;
  readonly random: Random;
  readonly local: LocalPorts;
  /**
   * The trust of connections that a provider opens itself. Default: from the settings,
   * read again.
   */
  readonly trust?: ProcessTrust;
}

/** Builds the providers for these settings. */
export function buildProviders(settings: Settings, ports: ProviderPorts): Providers {
  const { lists, clients, policy } = settings;
  const clientsOf = (kind: ClientKind): ClientOptions => clientOptions(settings, ports, kind);
  const policyOfService = (service: string): IssuerPolicy => policyOf(settings.policies, service);
  return {
    client: clientCredentials(clientsOf('CLIENT')),
    exchange: tokenExchange(clientsOf('EXCHANGE')),
    pelican: pelicanOf(settings, tokenExchange(clientsOf('PELICAN')), ports),
    exec: execProvider({
      programs: settings.tokenPrograms,
      run: runProgram,
      fileVersion: ports.secretVersion,
      specialNames: lists.specialNames,
      defaultLifetime: policy.defaultLifetime,
    }),
    local: localSigner({
      settings: settings.local,
      specialNames: lists.specialNames,
      ports: ports.local,
    }),
    oauth2: oauthRefresh({
      ...loginOptions(settings, ports),
      clientOf: (service) => clients.get(service.toUpperCase()),
      policyOf: policyOfService,
      specialNames: lists.specialNames,
    }),
    vault: vaultReader({
      settings: settings.vault,
      send: createVaultSend(settings.vault, settings.limits, ports.trust),
      policyOf: policyOfService,
      topVersion: (user, stem) => ports.secretVersion(join(settings.credDir, user, `${stem}.top`)),
      specialNames: lists.specialNames,
      policy,
    }),
  };
}

/** Pelican's issuers may use their own certificate authorities. */
function pelicanOf(
  { pelicanCaFile, limits }: Settings,
  provider: Provider,
  { trust }: ProviderPorts,
): Provider {
  const send = createPelicanSend(pelicanCaFile, limits, trust);
  if (!send) return provider;
  return {
    ...provider,
    obtain: (token, files, context) => provider.obtain(token, files, withSend(context, send)),
  };
}

/** A spread would read `now` before the answer. */
function withSend(context: ProviderContext, send: Send): ProviderContext {
  const { readSecret, readToken } = context;
  return {
    send,
    readSecret,
    readToken,
    get now() {
      return context.now;
    },
  };
}

/** The providers of standing tokens. */
export interface StandingProviders {
  /** Of tokens that are signed or fetched. */
  readonly made: Provider;
  readonly login: Provider;
}

/** Builds the providers of standing tokens. */
export function buildStanding(settings: Settings, ports: ProviderPorts): StandingProviders {
  const { local, standing: tokens } = settings;
  const issuers = tokens.flatMap((token) => (token.kind === 'signed' ? [token.issuer] : []));
  return {
    made: standingProvider({
      tokens,
      keys: localKeys({ ...local, issuers }, ports.local),
      ports: ports.local,
      clients: clientOptions(settings, ports, 'CLIENT'),
    }),
    login: standingLogin({ tokens, ...loginOptions(settings, ports) }),
  };
}

/** What the providers of logins have in common. */
function loginOptions(
  { endpointOrigins, allowLoopbackHttp, policy: { defaultLifetime } }: Settings,
  { secretVersion, random }: ProviderPorts,
): Omit<OAuthOptions, 'clientOf' | 'policyOf' | 'specialNames'> {
  return { endpointOrigins, allowLoopbackHttp, defaultLifetime, secretVersion, random };
}

function clientOptions(settings: Settings, ports: ProviderPorts, kind: ClientKind): ClientOptions {
  return {
    clients: settings.tokenClients.filter((client) => client.kind === kind),
    ...ports,
    specialNames: settings.lists.specialNames,
    allowLoopbackHttp: settings.allowLoopbackHttp,
    endpointOrigins: settings.endpointOrigins,
    defaultLifetime: settings.policy.defaultLifetime,
  };
}
