// From settings to the providers and the owner of each token.
import { splitStem, type ManagedToken, type TokenSnapshot } from '@credmon/core';
import type { Ownership } from './pass.ts';
import { oauthRefresh } from './providers/oauth-refresh.ts';
import type { Provider } from './providers/provider.ts';
import { ownerOf } from './providers/registry.ts';
import type { Settings } from './settings.ts';

/** The providers of these settings, and who owns which token. `secretVersion` changes with a secret file. */
export function ownershipOf(settings: Settings, secretVersion: (path: string) => string): Ownership {
  const { lists, clients, policy, allowLoopbackHttp } = settings;
  const oauth = oauthRefresh({
    clientOf: (service) => clients.get(service.toUpperCase()),
    secretVersion,
    specialNames: lists.specialNames,
    allowLoopbackHttp,
    defaultLifetime: policy.defaultLifetime,
  });

  const providerOf = (token: TokenSnapshot): Provider | undefined => {
    const service = splitStem(token.stem, lists.specialNames)?.service ?? token.stem;
    const hasClient = clients.has(service.toUpperCase()) || token.meta.kind !== 'missing';
    return ownerOf(token.stem, lists, { hasClient, vaultEnabled: false }).kind === 'oauth2'
      ? oauth
      : undefined;
  };

  return {
    manage: (token) => {
      const provider = providerOf(token);
      if (!provider) return undefined;
      const managed: ManagedToken = {
        snapshot: token,
        provider: provider.name,
        renewable: provider.renewable(token),
        basis: () => provider.basis(token),
        policy,
      };
      return { managed, provider };
    },
  };
}
