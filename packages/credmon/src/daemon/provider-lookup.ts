// Builds every kind of provider from the settings, and finds the provider and the owner
// of each token.
import { runProgram } from '../host/exec-program.ts';
import { type ProcessTrust, createPelicanSend, createVaultSend } from '../host/tls-ca.ts';
import { clientCredentials, type ClientOptions } from '../providers/client/credentials.ts';
import type { Provider, ProviderContext } from '../providers/common/provider.ts';
import { tokenExchange } from '../providers/exchange/exchange.ts';
import { execProvider } from '../providers/exec/exec.ts';
import { localKeys, type LocalPorts } from '../providers/local/keys.ts';
import { localSigner } from '../providers/local/local.ts';
import { type OAuthOptions, oauthRefresh } from '../providers/oauth/refresh.ts';
import { standingLogin } from '../providers/standing/login.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { standingProvider } from '../providers/standing/standing.ts';
import { vaultReader } from '../providers/vault/vault.ts';
import type { ClientKind } from '../settings/clients.ts';
import {
  type ProviderKind,
  type ProviderLookup as TokenOwner,
  ownerOf,
} from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import { renewalPolicies, withOwnLifetime } from '../settings/policy.ts';
import type { ProviderLookup } from './judge-scan.ts';
import type { Random, Send } from '@credmon/core/base';
import {
  type Parsed,
  type TokenSnapshot,
  refusedName,
  splitStem,
  tokenFileName,
} from '@credmon/core/credential';
import { type IssuerPolicy, policyOf } from '@credmon/core/profiles';
import type { ManagedToken } from '@credmon/core/renewal';
import { join } from 'node:path';

/** Builds the providers of these settings and returns their lookup. */
export function providerLookupOf(settings: Settings, ports: ProviderPorts): ProviderLookup {
  const policyOf = renewalPolicies(settings);
  const providers = buildProviders(settings, ports);
  let standing: StandingProviders | undefined;
  /** The providers of standing tokens that are renewed from a login. */
  const logins = new Map(
    settings.standing.flatMap((token) =>
      token.kind === 'login' ? [[token.name, token.provider] as const] : [],
    ),
  );

  const providerOfName = rememberByName((stem, hasMeta) => {
    const owner = ownerOfName(stem, hasMeta, settings);
    return owner.kind === 'nobody' ? undefined : providers(owner.kind);
  });
  const providerOf = (token: TokenSnapshot): Provider | undefined => {
    if (token.user === STANDING) {
      standing ??= buildStanding(settings, ports);
      return logins.has(token.stem) ? standing.login : standing.made;
    }
    return providerOfName(token.stem, token.meta.kind !== 'missing');
  };

  // A scan returns the same snapshot until the token changes, and a local token depends
  // on nothing else.
  const known = new WeakMap<TokenSnapshot, NonNullable<ReturnType<ProviderLookup['manage']>>>();
  return {
    manage: (token) => {
      const before = known.get(token);
      if (before) return before;
      const provider = providerOf(token);
      if (!provider) return undefined;
      // A standing token has its own default, and its name is not that of a service.
      const isStanding = token.user === STANDING;
      const timed = isStanding ? token : withOwnLifetime(token, settings);
      const service = isStanding ? logins.get(token.stem) : token.stem;
      const policy =
        service === undefined || provider.isLocal ? settings.policy : policyOf(service);
      const managed: ManagedToken = {
        snapshot: provider.view?.(timed) ?? timed,
        provider: provider.name,
        renewable: writeError(token) ?? provider.renewable(token),
        basis: () => provider.basis(token),
        policy: provider.policy ?? policy,
      };
      const owned = { managed, provider };
      if (provider.isLocal === true) known.set(token, owned);
      return owned;
    },
  };
}

/**
 * Returns the kind of provider that owns a token of the credential directory, or why none
 * does.
 */
export function ownerOfToken(
  { stem, meta }: Pick<TokenSnapshot, 'stem' | 'meta'>,
  settings: OwnerSettings,
): TokenOwner {
  return ownerOfName(stem, meta.kind !== 'missing', settings);
}

type OwnerSettings = Pick<Settings, 'lists' | 'names' | 'clients' | 'vaultEnabled'>;

function ownerOfName(
  stem: string,
  hasMeta: boolean,
  { lists, names, clients, vaultEnabled }: OwnerSettings,
): TokenOwner {
  const rejection = refusedName(stem, names);
  if (rejection !== undefined) return { kind: 'nobody', why: rejection };
  const service = splitStem(stem, lists.specialNames)?.service ?? stem;
  const hasClient = clients.has(service.toUpperCase()) || hasMeta;
  return ownerOf(stem, lists, { hasClient, vaultEnabled });
}

/** The most names that are remembered: any user may invent names. */
const MOST_NAMES = 10_000;

/** Remembers the provider of each name: many tokens have the same one. */
function rememberByName(
  find: (stem: string, hasMeta: boolean) => Provider | undefined,
): (stem: string, hasMeta: boolean) => Provider | undefined {
  const known = [new Map<string, Provider | undefined>(), new Map<string, Provider | undefined>()];
  return (stem, hasMeta) => {
    const names = known[hasMeta ? 1 : 0] ?? new Map<string, Provider | undefined>();
    const before = names.get(stem);
    if (before !== undefined || names.has(stem)) return before;
    if (names.size >= MOST_NAMES) names.clear();
    const provider = find(stem, hasMeta);
    names.set(stem, provider);
    return provider;
  };
}

/** A grant must not be spent on a token that cannot be written. */
function writeError({ stem, use, issued }: TokenSnapshot): Parsed<true> | undefined {
  if (use.kind !== 'broken' && issued?.kind !== 'broken') return undefined;
  const blocked = [use, issued].find((file) => file?.kind === 'broken' && file.blocked === true);
  if (blocked?.kind !== 'broken') return undefined;
  const name = blocked === use ? '.use' : tokenFileName(stem, 'issued');
  return { ok: false, reason: `${name} ${blocked.reason}: the administrator must remove it` };
}

/** Returns the provider of a kind; it is built at the first call. */
type Providers = (kind: ProviderKind) => Provider;

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

/** Builds the providers for these settings, each when a token needs it. */
function buildProviders(settings: Settings, ports: ProviderPorts): Providers {
  const { lists, clients, policy } = settings;
  const clientsOf = (kind: ClientKind): ClientOptions => clientOptions(settings, ports, kind);
  const policyOfService = (service: string): IssuerPolicy => policyOf(settings.policies, service);
  const makers: Readonly<Record<ProviderKind, () => Provider>> = {
    client: () => clientCredentials(clientsOf('CLIENT')),
    exchange: () => tokenExchange(clientsOf('EXCHANGE')),
    pelican: () => pelicanOf(settings, tokenExchange(clientsOf('PELICAN')), ports),
    exec: () =>
      execProvider({
        programs: settings.tokenPrograms,
        run: runProgram,
        fileVersion: ports.secretVersion,
        specialNames: lists.specialNames,
        defaultLifetime: policy.defaultLifetime,
      }),
    local: () =>
      localSigner({
        settings: settings.local,
        specialNames: lists.specialNames,
        ports: ports.local,
      }),
    oauth2: () =>
      oauthRefresh({
        ...loginOptions(settings, ports),
        clientOf: (service) => clients.get(service.toUpperCase()),
        policyOf: policyOfService,
        specialNames: lists.specialNames,
      }),
    vault: () =>
      vaultReader({
        settings: settings.vault,
        send: createVaultSend(settings.vault, settings.limits, ports.trust),
        policyOf: policyOfService,
        topVersion: (user, stem) =>
          ports.secretVersion(join(settings.credDir, user, `${stem}.top`)),
        specialNames: lists.specialNames,
        policy,
      }),
  };
  const made = new Map<ProviderKind, Provider>();
  return (kind) => {
    const provider = made.get(kind) ?? makers[kind]();
    made.set(kind, provider);
    return provider;
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
interface StandingProviders {
  /** Of tokens that are signed or fetched. */
  readonly made: Provider;
  readonly login: Provider;
}

/** Builds the providers of standing tokens. */
function buildStanding(settings: Settings, ports: ProviderPorts): StandingProviders {
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
