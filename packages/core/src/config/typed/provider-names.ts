// The names of all providers of any kind in a configuration.
import type { Config } from '../table/config.ts';
import { createKnobReader } from './knob-reader.ts';

/** A provider's name as spelled in the configuration, and the knob that names it. */
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

const LISTS = [
  'CLIENT_CREDMON_PROVIDER_NAMES',
  'OAUTH2_CREDMON_PROVIDER_NAMES',
  'VAULT_CREDMON_PROVIDER_NAMES',
  'PELICAN_CREDMON_PROVIDER_NAMES',
  'EXCHANGE_CREDMON_PROVIDER_NAMES',
  'EXEC_CREDMON_PROVIDER_NAMES',
  'CREDMON_DEVICE_PROVIDER_NAMES',
] as const;

/** Knobs that end in _CLIENT_ID without naming a provider for logins. */
const FOREIGN_CLIENT = /^(CLIENT|LOCAL|EXCHANGE|PELICAN)_CREDMON(_|$)|_PELICAN$/i;

/**
 * Knobs for one program. CredD writes key files for the providers of its own knobs, so
 * these names apply to all programs.
 */
const SUBSYSTEM = /^(?:CREDD|CREDMON_OAUTH|CREDMON_WEB)\./i;

/**
 * Returns the provider of a knob `<PROVIDER>_CLIENT_ID` if it is for logins; `undefined`
 * for other knobs.
 */
export function loginProviderOf(knob: string): string | undefined {
  const name = /^([A-Za-z0-9_./-]+)_CLIENT_ID$/i.exec(knob)?.[1];
  return name === undefined || FOREIGN_CLIENT.test(name) ? undefined : name;
}

/** Knobs of providers with logins. */
const LOGIN_KNOB =
  /^(?!.*(?:_|^)CREDMON_)([\w./-]+?)_(?:CLIENT_ID|CLIENT_SECRET_FILE|TOKEN_URL|AUTHORIZATION_URL|RETURN_URL_SUFFIX)$/i;

/**
 * Returns the names of providers with logins in the knobs of a configuration, each time
 * that a knob has it; the client id may be missing.
 */
export function loginNamesIn(config: Config): string[] {
  return config.setNames().flatMap((knob) => {
    const name = LOGIN_KNOB.exec(knob)?.[1];
    return name === undefined || /_PELICAN$/i.test(name) ? [] : [name];
  });
}

/**
 * Finds the names: first those in lists, then those with a `_CLIENT_ID`. Names that
 * differ only in case are one provider.
 */
export function configuredProviders(config: Config): ProviderNames {
  // Mistakes are for the reader of the program's settings to report.
  const read = createKnobReader(config);
  const found = new Map<string, NamedProvider>();
  const add = (names: readonly string[] | undefined, knob: string): void => {
    for (const name of names ?? []) {
      const key = name.toUpperCase();
      if (name !== '*' && !found.has(key)) found.set(key, { name, knob });
    }
  };
  const older = !read.isSet('LOCAL_CREDMON_PROVIDER_NAMES');
  const named = older && read.isSet('LOCAL_CREDMON_PROVIDER_NAME');
  add(
    read.list(older ? 'LOCAL_CREDMON_PROVIDER_NAME' : 'LOCAL_CREDMON_PROVIDER_NAMES'),
    named ? 'LOCAL_CREDMON_PROVIDER_NAME' : 'LOCAL_CREDMON_PROVIDER_NAMES',
  );
  for (const knob of LISTS) add(read.list(knob), knob);
  for (const knob of config.setNames()) {
    const name = loginProviderOf(knob.replace(SUBSYSTEM, ''));
    if (name !== undefined && config.get(knob) !== undefined) add([name], knob);
  }
  return {
    providers: [...found.values()],
    specialNames: read.boolean('CREDMON_ALLOW_SPECIAL_CHAR_NAMES'),
  };
}
