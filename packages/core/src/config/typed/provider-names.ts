// The names of all providers that a configuration speaks of, whatever kind they are.
import type { Config } from '../table/config.ts';
import { readBoolean, readList } from './typed.ts';

/**
 * A provider's name as it is spelled in the configuration, and the knob that names it.
 */
export interface NamedProvider {
  readonly name: string;
  readonly knob: string;
}

/**
 * The names in a configuration; `specialNames` is CREDMON_ALLOW_SPECIAL_CHAR_NAMES: names
 * have no handles.
 */
export interface ProviderNames {
  readonly providers: readonly NamedProvider[];
  readonly specialNames: boolean;
}

const LISTS = ['CLIENT', 'OAUTH2', 'VAULT', 'PELICAN', 'EXCHANGE', 'EXEC'].map(
  (kind) => `${kind}_CREDMON_PROVIDER_NAMES`,
);

/** Knobs that end in _CLIENT_ID, but do not name a provider whose users log in. */
const FOREIGN_CLIENT = /^(CLIENT|LOCAL|EXCHANGE|PELICAN)_CREDMON(_|$)|_PELICAN$/i;

/**
 * A knob for one program only. CredD writes key files for the providers of its own knobs,
 * so their names count for everyone.
 */
const SUBSYSTEM = /^(?:CREDD|CREDMON_OAUTH|CREDMON_WEB)\./i;

/**
 * The provider of a knob `<PROVIDER>_CLIENT_ID`, if users log in there; `undefined` for
 * every other knob.
 */
export function loginProviderOf(knob: string): string | undefined {
  const name = /^([A-Za-z0-9_./-]+)_CLIENT_ID$/i.exec(knob)?.[1];
  return name === undefined || FOREIGN_CLIENT.test(name) ? undefined : name;
}

/**
 * Finds the names: those in a list first, then those with a `_CLIENT_ID`. Names that
 * differ only in case are one provider.
 */
export function configuredProviders(config: Config): ProviderNames {
  const found = new Map<string, NamedProvider>();
  const add = (name: string, knob: string): void => {
    const key = name.toUpperCase();
    if (name !== '*' && !found.has(key)) found.set(key, { name, knob });
  };
  const addAll = (knob: string): void => {
    const names = readList(config, knob, []);
    for (const name of names.ok ? names.value : []) add(name, knob);
  };
  const local = ['LOCAL_CREDMON_PROVIDER_NAMES', 'LOCAL_CREDMON_PROVIDER_NAME'].find(
    (knob) => config.get(knob) !== undefined,
  );
  if (local === undefined) add('scitokens', 'LOCAL_CREDMON_PROVIDER_NAMES');
  else addAll(local);
  for (const knob of [...LISTS, 'CREDMON_DEVICE_PROVIDER_NAMES']) addAll(knob);
  for (const knob of config.names()) {
    const name = loginProviderOf(knob.replace(SUBSYSTEM, ''));
    if (name !== undefined && config.get(knob) !== undefined) add(name, knob);
  }
  const special = readBoolean(config, 'CREDMON_ALLOW_SPECIAL_CHAR_NAMES', false);
  return { providers: [...found.values()], specialNames: special.ok && special.value };
}
