// Decides which kind of provider owns a token, by its name. Pure.
import { splitStem } from '@credmon/core/credential';
import { knob, type KnobReader } from '@credmon/core/config';

/** The lists of provider names; `*` means all other names. */
export interface ProviderLists {
  readonly local: readonly string[];
  readonly client: readonly string[];
  readonly oauth2: readonly string[] | '*';
  readonly vault: readonly string[] | '*';
  readonly pelican: readonly string[];
  /** Our own lists; CredD does not know these names. */
  readonly exchange: readonly string[];
  readonly exec: readonly string[];
  readonly specialNames: boolean;
}

/** CredD's kinds, and two of our own. */
export type ProviderKind =
  'local' | 'client' | 'oauth2' | 'vault' | 'pelican' | 'exchange' | 'exec';

/** The owner of a token, or why there is none. */
export type ProviderLookup =
  | { readonly kind: ProviderKind; readonly service: string; readonly handle: string }
  | { readonly kind: 'nobody'; readonly why: string };

/** Facts about a service. */
export interface ServiceFacts {
  /** True when `<service>_CLIENT_ID` is configured, or the token has a `.meta`. */
  readonly hasClient: boolean;
  /** True when a Vault may serve unlisted names. */
  readonly vaultEnabled: boolean;
}

/**
 * Sorts a token by its stem as CredD does: LOCAL, CLIENT, OAUTH2, VAULT, PELICAN lists by
 * exact name, then EXCHANGE and EXEC, then the wildcards.
 * @see HTCondor's CredSorter: the first list that contains the name wins; names are
 * case-sensitive
 */
export function ownerOf(stem: string, lists: ProviderLists, facts: ServiceFacts): ProviderLookup {
  const name = splitStem(stem, lists.specialNames);
  if (!name)
    return { kind: 'nobody', why: `${stem} is not a name of the form service or service_handle` };
  const kind = listed(name.service, lists) ?? byWildcard(lists, facts);
  if (kind) return { kind, ...name };
  return {
    kind: 'nobody',
    why: facts.hasClient
      ? `${name.service} has a client, but is not listed in OAUTH2_CREDMON_PROVIDER_NAMES`
      : `${name.service} is not listed in any *_CREDMON_PROVIDER_NAMES and has no ${name.service}_CLIENT_ID`,
  };
}

function listed(service: string, lists: ProviderLists): ProviderKind | undefined {
  if (lists.local.includes(service)) return 'local';
  if (lists.client.includes(service)) return 'client';
  if (lists.oauth2 !== '*' && lists.oauth2.includes(service)) return 'oauth2';
  if (lists.vault !== '*' && lists.vault.includes(service)) return 'vault';
  if (lists.pelican.includes(service)) return 'pelican';
  if (lists.exchange.includes(service)) return 'exchange';
  return lists.exec.includes(service) ? 'exec' : undefined;
}

function byWildcard(lists: ProviderLists, facts: ServiceFacts): ProviderKind | undefined {
  if (lists.oauth2 === '*' && facts.hasClient) return 'oauth2';
  return lists.vault === '*' && facts.vaultEnabled && !facts.hasClient ? 'vault' : undefined;
}

/** Returns names that are in more than one list, with all these lists. */
export function overlaps(
  lists: ProviderLists,
): { readonly name: string; readonly kinds: readonly ProviderKind[] }[] {
  const kindsOf = new Map<string, ProviderKind[]>();
  for (const kind of [
    'local',
    'client',
    'oauth2',
    'vault',
    'pelican',
    'exchange',
    'exec',
  ] as const) {
    const names = lists[kind];
    if (names === '*') continue;
    for (const name of new Set(names)) kindsOf.set(name, [...(kindsOf.get(name) ?? []), kind]);
  }
  return [...kindsOf]
    .filter(([, kinds]) => kinds.length > 1)
    .map(([name, kinds]) => ({ name, kinds }));
}

// Names that log in at submit time (CREDMON_DEVICE_PROVIDER_NAMES): CredD and
// condor_submit treat them as a Vault's, but their tokens are OAuth tokens.

/**
 * Returns the names of CREDMON_DEVICE_PROVIDER_NAMES. A name missing in the Vault's list
 * is reported: condor_submit would not start its login.
 */
export function readDeviceNames(read: KnobReader, lists: ProviderLists): readonly string[] {
  const names = read.list('CREDMON_DEVICE_PROVIDER_NAMES') ?? [];
  for (const name of names) {
    const isFound =
      read.isSet(knob('<PROVIDER>_TOKEN_URL', name)) ||
      read.isSet(knob('CREDMON_<PROVIDER>_ISSUER', name)) ||
      read.isSet(knob('CREDMON_<PROVIDER>_PROFILE', name));
    if (!isFound || !read.isSet(knob('<PROVIDER>_CLIENT_ID', name)))
      read.mistake(
        'CREDMON_DEVICE_PROVIDER_NAMES',
        `lists ${name}, but ${name}_CLIENT_ID and ${name}_TOKEN_URL (or CREDMON_${name}_ISSUER) ` +
          'are not both set',
      );
    for (const kind of ['local', 'client', 'pelican', 'exchange', 'exec'] as const)
      if (lists[kind].includes(name))
        read.mistake(
          'CREDMON_DEVICE_PROVIDER_NAMES',
          `and ${kind.toUpperCase()}_CREDMON_PROVIDER_NAMES both list ${name}: a name can have only one owner`,
          'first',
        );
    const { vault } = lists;
    if (vault === '*' || !vault.includes(name))
      read.warning(
        'CREDMON_DEVICE_PROVIDER_NAMES',
        `lists ${name}, which is not listed in VAULT_CREDMON_PROVIDER_NAMES: condor_submit will not start its login`,
      );
  }
  return names;
}

/**
 * Moves device names from the Vault's list to OAuth's; only these names may be in two
 * knobs.
 */
export function withDeviceNames(lists: ProviderLists, names: readonly string[]): ProviderLists {
  const { oauth2, vault } = lists;
  return {
    ...lists,
    vault: vault === '*' ? vault : vault.filter((name) => !names.includes(name)),
    oauth2: oauth2 === '*' ? oauth2 : [...new Set([...oauth2, ...names])],
  };
}
