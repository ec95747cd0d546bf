// Finds the provider and the owner of each token from the settings.
import {
  refusedName,
  splitStem,
  tokenFileName,
  type Parsed,
  type TokenSnapshot,
} from '@credmon/core/credential';
import type { ManagedToken } from '@credmon/core/renewal';
import type { ProviderLookup } from './pass.ts';
import { buildProviders, buildStanding } from './provider-factory.ts';
import type { Provider } from '../providers/common/provider.ts';
import type { ProviderPorts } from './provider-factory.ts';
import { STANDING } from '../providers/standing/names.ts';
import { ownerOf, type ProviderLookup as TokenOwner } from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import { renewalPolicies, withOwnLifetime } from '../settings/token-policy.ts';

/** Builds the providers of these settings and returns their lookup. */
export function providerLookupOf(settings: Settings, ports: ProviderPorts): ProviderLookup {
  const policyOf = renewalPolicies(settings);
  const providers = buildProviders(settings, ports);
  const standing = buildStanding(settings, ports);
  /** The providers of standing tokens that are renewed from a login. */
  const logins = new Map(
    settings.standing.flatMap((token) =>
      token.kind === 'login' ? [[token.name, token.provider] as const] : [],
    ),
  );

  const providerOf = (token: TokenSnapshot): Provider | undefined => {
    if (token.user === STANDING) return logins.has(token.stem) ? standing.login : standing.made;
    const owner = ownerOfToken(token, settings);
    return owner.kind === 'nobody' ? undefined : providers[owner.kind];
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
  {
    lists,
    names,
    clients,
    vaultEnabled,
  }: Pick<Settings, 'lists' | 'names' | 'clients' | 'vaultEnabled'>,
): TokenOwner {
  const rejection = refusedName(stem, names);
  if (rejection !== undefined) return { kind: 'nobody', why: rejection };
  const service = splitStem(stem, lists.specialNames)?.service ?? stem;
  const hasClient = clients.has(service.toUpperCase()) || meta.kind !== 'missing';
  return ownerOf(stem, lists, { hasClient, vaultEnabled });
}

/** A grant must not be spent on a token that cannot be written. */
function writeError({ stem, use, issued }: TokenSnapshot): Parsed<true> | undefined {
  const blocked = [use, issued].find((file) => file?.kind === 'broken' && file.blocked === true);
  if (blocked?.kind !== 'broken') return undefined;
  const name = blocked === use ? '.use' : tokenFileName(stem, 'issued');
  return { ok: false, reason: `${name} ${blocked.reason}: the administrator must remove it` };
}
