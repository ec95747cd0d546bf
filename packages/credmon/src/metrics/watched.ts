// A store and providers with a stopwatch: they do what they did, and somebody learns how
// long it took. Durations in seconds.
import type { Clock } from '@credmon/core/base';
import type { CredentialStore } from '@credmon/core/store';
import type { ManagedToken } from '@credmon/core/renewal';
import type { ProviderLookup } from '../daemon/pass.ts';
import type { Provider } from '../providers/common/provider.ts';

/** The store; `took` learns of each scan. */
export function timedStore(
  store: CredentialStore,
  clock: Clock,
  took: (seconds: number) => void,
): CredentialStore {
  return {
    ...store,
    scan: async (now, habits) => {
      const began = clock.steady();
      const scan = await store.scan(now, habits);
      took(clock.steady() - began);
      return scan;
    },
  };
}

/**
 * Makes ownerships whose providers tell `took` of each attempt; a provider is the same
 * one every time.
 */
export function timedOwnership(
  clock: Clock,
  took: (token: Pick<ManagedToken, 'snapshot' | 'provider'>, seconds: number) => void,
): (ownership: ProviderLookup) => ProviderLookup {
  const known = new WeakMap<Provider, Provider>();
  const timed = (provider: Provider): Provider => {
    const before = known.get(provider);
    if (before) return before;
    const after: Provider = {
      ...provider,
      obtain: async (snapshot, files, context) => {
        const began = clock.steady();
        try {
          return await provider.obtain(snapshot, files, context);
        } finally {
          took({ snapshot, provider: provider.name }, clock.steady() - began);
        }
      },
    };
    known.set(provider, after);
    return after;
  };
  return ({ manage }) => ({
    manage: (token) => {
      const owner = manage(token);
      return owner && { managed: owner.managed, provider: timed(owner.provider) };
    },
  });
}
