// Names that log in at submit time (CREDMON_DEVICE_PROVIDER_NAMES): CredD and
// condor_submit take them for a Vault's, but their tokens are OAuth's.
import type { KnobReader } from '@credmon/core/config';
import type { ProviderLists } from './lists.ts';

/**
 * The names of CREDMON_DEVICE_PROVIDER_NAMES. One that the Vault's list lacks is reported:
 * condor_submit would never ask for its login.
 */
export function readDeviceNames(read: KnobReader, lists: ProviderLists): readonly string[] {
  const names = read.list('CREDMON_DEVICE_PROVIDER_NAMES') ?? [];
  for (const name of names) {
    if (
      read.string(`${name}_CLIENT_ID`) === undefined ||
      read.string(`${name}_TOKEN_URL`) === undefined
    )
      read.mistake(
        'CREDMON_DEVICE_PROVIDER_NAMES',
        `names ${name}, which has no ${name}_CLIENT_ID and ${name}_TOKEN_URL`,
      );
    for (const kind of ['local', 'client', 'pelican', 'exchange', 'exec'] as const)
      if (lists[kind].includes(name))
        read.mistake(
          'CREDMON_DEVICE_PROVIDER_NAMES',
          `and ${kind.toUpperCase()}_CREDMON_PROVIDER_NAMES both name ${name}: a name has one owner`,
          'first',
        );
    const { vault } = lists;
    if (vault === '*' || !vault.includes(name))
      read.warning(
        'CREDMON_DEVICE_PROVIDER_NAMES',
        `names ${name}, which VAULT_CREDMON_PROVIDER_NAMES does not: condor_submit will not start its login`,
      );
  }
  return names;
}

/**
 * The lists as this daemon sorts by them: a device name leaves the Vault's list for
 * OAuth's. It is the one name that may stand in two knobs.
 */
export function withDeviceNames(lists: ProviderLists, names: readonly string[]): ProviderLists {
  const { oauth2, vault } = lists;
  return {
    ...lists,
    vault: vault === '*' ? vault : vault.filter((name) => !names.includes(name)),
    oauth2: oauth2 === '*' ? oauth2 : [...new Set([...oauth2, ...names])],
  };
}
