// Every kind of provider that this daemon has, built from the settings: one line each.
import type { Settings } from '../settings.ts';
import { oauthRefresh } from './oauth-refresh.ts';
import type { Provider, ProviderPorts } from './provider.ts';
import type { ProviderKind } from './registry.ts';

/** The providers by kind; a kind that is not there leaves its tokens alone. */
export type Providers = Partial<Readonly<Record<ProviderKind, Provider>>>;

/** Builds the providers of these settings. */
export function buildProviders(settings: Settings, ports: ProviderPorts): Providers {
  const { lists, clients, policy, allowLoopbackHttp } = settings;
  return {
    oauth2: oauthRefresh({
      clientOf: (service) => clients.get(service.toUpperCase()),
      secretVersion: ports.secretVersion,
      specialNames: lists.specialNames,
      allowLoopbackHttp,
      defaultLifetime: policy.defaultLifetime,
    }),
  };
}
