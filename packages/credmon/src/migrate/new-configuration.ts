// The configuration for condor_credmon that replaces an older credmon's: a pure function
// of the old knobs.
import { printableLine } from '@credmon/core/base';
import { knobDefault, loginProviderOf, type Config } from '@credmon/core/config';
import { daemonLines } from './first-configuration.ts';
import {
  prefixOf,
  proxyLines,
  WSGI_DIRECTIVES,
  type WsgiPortal,
  migratedKnobs,
  type Migrated,
  type NewKnob,
} from './knobs.ts';

/** What `use feature : OAUTH` sets, and need not be written. */
const BY_FEATURE: ReadonlyMap<string, string> = new Map([
  ['SEC_CREDENTIAL_DIRECTORY_OAUTH', '/var/lib/condor/oauth_credentials'],
  ['CREDMON_OAUTH_LOG', '$(LOG)/CredMonOAuthLog'],
]);

type Kind<Name extends Migrated['kind']> = Extract<Migrated, { readonly kind: Name }>;

/** What was read. `unread`: what of the files was skipped, and why. */
export interface OldConfiguration {
  readonly config: Config;
  readonly portals: readonly WsgiPortal[];
  readonly unread: readonly string[];
  /** The folder of the programs of this installation. */
  readonly programs: string;
}

/**
 * Returns the text of the new configuration. Comments say what has no successor and why.
 * No secret is in it.
 */
export function newConfiguration(old: OldConfiguration): string {
  const { config, portals, unread, programs } = old;
  const fates = migratedKnobs(config);
  const of = <Name extends Migrated['kind']>(kind: Name): Kind<Name>[] =>
    fates.filter((one): one is Kind<Name> => one.kind === kind);
  const kept = of('kept').map(({ knob }) => knob);
  const replaced = new Map(of('replaced').map(({ name, value }) => [name, value]));
  const secrets = of('secret');
  const logins = [...new Set(loginsOf(kept))];
  const local = localLines(kept, replaced, logins);
  const vault = vaultLines(kept, replaced, programs);
  const lists = [...local.used, ...vault.used];
  const rest = kept.filter(
    ({ name, value }) =>
      !lists.includes(name) && BY_FEATURE.get(name.toUpperCase()) !== value && !isPrefix(name),
  );
  const general = rest.filter(({ name }) => providerOf(name, logins) === undefined);
  const sections = [
    headLines(config, portals),
    [
      ...daemonLines(`${programs}/condor_credmon`),
      ...generalLines(general, logins.length > 0 || portals.length > 0, kept, portals),
    ],
    ...logins.map((login) => loginLines(login, rest, logins, secrets)),
    local.lines,
    vault.lines,
    ...portals.map(portalLines),
    remarkLines([...of('dropped'), ...otherSecrets(secrets, logins)], of('other'), unread),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/**
 * A value of several lines is written as a block, whose end is a line that is not in it. A
 * backslash at the end of the old file would continue on the next line here.
 */
function line({ name, value }: NewKnob): string {
  const text = value.replace(/\\+$/, '');
  if (!text.includes('\n')) return `${name} = ${text}`.trimEnd();
  let end = 'end';
  while (text.includes(`@${end}`)) end += '_';
  return `${name} @=${end}\n${text}\n@${end}`;
}

const isPrefix = (name: string): boolean => name.toUpperCase() === 'CREDMON_WEB_PREFIX';

function headLines(config: Config, portals: readonly WsgiPortal[]): string[] {
  const files = [...config.sources, ...portals.map(({ file }) => file)];
  return [
    '# The configuration of condor_credmon, made from',
    ...files.map((file) => `#   ${printableLine(file)}`),
    '# Copy it to /etc/condor/config.d/, and remove the lines for the old credmon from these files.',
  ];
}

function generalLines(
  general: readonly NewKnob[],
  withPortal: boolean,
  kept: readonly NewKnob[],
  portals: readonly WsgiPortal[],
): string[] {
  const [portal] = portals;
  const prefix =
    kept.find(({ name }) => isPrefix(name))?.value ??
    (portal ? prefixOf(portal) : knobDefault('CREDMON_WEB_PREFIX'));
  return [...(withPortal ? [`CREDMON_WEB_PREFIX = ${prefix}`] : []), ...general.map(line)];
}

/** The names of providers with logins, as they are written. */
function loginsOf(kept: readonly NewKnob[]): string[] {
  return kept.flatMap(({ name }) => loginProviderOf(name) ?? []);
}

function providerOf(name: string, logins: readonly string[]): string | undefined {
  const plain = name.toUpperCase().replace(/^CREDMON_/, '');
  return logins.find((login) => plain.startsWith(`${login.toUpperCase()}_`));
}

function loginLines(
  login: string,
  rest: readonly NewKnob[],
  logins: readonly string[],
  secrets: readonly Kind<'secret'>[],
): string[] {
  const own = rest.filter(({ name }) => providerOf(name, logins) === login);
  const has = (suffix: string): boolean =>
    own.some(({ name }) => name.toUpperCase() === `${login}_${suffix}`.toUpperCase());
  const secret = secrets.find(({ provider }) => provider.toUpperCase() === login.toUpperCase());
  const path = login.toLowerCase();
  const file = `/etc/condor/.secrets/${path}`;
  return [
    ...(secret && !has('CLIENT_SECRET_FILE')
      ? [
          `# ${secret.place} contains the secret in clear text. ` +
            'Get a new one from the issuer, and write it into this file:',
          `#   install -D -m 600 /dev/stdin ${file}`,
        ]
      : []),
    ...own.map(line),
    ...(secret && !has('CLIENT_SECRET_FILE') ? [`${login}_CLIENT_SECRET_FILE = ${file}`] : []),
    ...(has('RETURN_URL_SUFFIX') ? [] : [`${login}_RETURN_URL_SUFFIX = /return/${path}`]),
  ];
}

/** Lines of one section, and the knobs that are in it. */
interface Section {
  readonly lines: string[];
  readonly used: readonly string[];
}

function localLines(
  kept: readonly NewKnob[],
  old: ReadonlyMap<string, string>,
  logins: readonly string[],
): Section {
  const own = kept.filter(({ name }) => /^LOCAL_CREDMON_/i.test(name));
  const isProduced = programOf(old, 'SEC_CREDENTIAL_PRODUCER') === 'scitokens_credential_producer';
  if (own.length === 0 && !isProduced) return { lines: [], used: [] };
  const has = (name: string): boolean => own.some((one) => one.name.toUpperCase() === name);
  const named = has('LOCAL_CREDMON_PROVIDER_NAMES') || has('LOCAL_CREDMON_PROVIDER_NAME');
  // Old names with a client of their own log in, whatever else is configured.
  const isFree = !logins.some((login) => login.toLowerCase() === 'scitokens');
  return {
    used: own.map(({ name }) => name),
    lines: [
      '# Tokens that are signed here.',
      ...(isProduced
        ? ['# Instead of SEC_CREDENTIAL_PRODUCER: users write use_oauth_services = scitokens.']
        : []),
      ...(!named && isFree ? ['LOCAL_CREDMON_PROVIDER_NAME = scitokens'] : []),
      ...own.map(line),
      ...(has('LOCAL_CREDMON_TOKEN_AUDIENCE') || has('LOCAL_CREDMON_TOKEN_VERSION')
        ? []
        : [
            '# As before: no version, and no audience. Better: scitoken:2.0 with LOCAL_CREDMON_TOKEN_AUDIENCE.',
            'LOCAL_CREDMON_TOKEN_VERSION = none',
          ]),
      ...(has('LOCAL_CREDMON_TOKEN_LIFETIME')
        ? []
        : [
            '# The default of 20 minutes is short: a job may read a token with 4 minutes left.',
            '# LOCAL_CREDMON_TOKEN_LIFETIME = 40 min',
          ]),
    ],
  };
}

function vaultLines(
  kept: readonly NewKnob[],
  old: ReadonlyMap<string, string>,
  programs: string,
): Section {
  const storer = programOf(old, 'SEC_CREDENTIAL_STORER');
  const daemon = programOf(old, 'CREDMON_OAUTH') ?? programOf(old, 'SEC_CREDENTIAL_MONITOR');
  const isVault = /vault|condor_credential_storer/.test(storer ?? '') || /vault/.test(daemon ?? '');
  if (!isVault) return { lines: [], used: [] };
  const own = kept.filter(({ name }) => VAULT_KNOBS.some((knob) => knob.test(name)));
  const isTrusted = own.some(({ name }) =>
    /^(?:TRUSTED_VAULT_HOSTS|SEC_CREDENTIAL_GETTOKEN)/i.test(name),
  );
  return {
    used: own.map(({ name }) => name),
    lines: [
      '# Tokens from a Vault.',
      `SEC_CREDENTIAL_STORER = ${programs}/condor_credential_storer`,
      ...own.map(line),
      ...(isTrusted
        ? []
        : [
            '# Only these Vaults are asked. Fill in the hosts that your users name with htgettoken -a:',
            '# TRUSTED_VAULT_HOSTS = vault.example.org',
          ]),
    ],
  };
}

const VAULT_KNOBS = [
  /^(?:VAULT_CREDMON_|TRUSTED_VAULT_HOSTS$|CREDMON_VAULT_|CREDMON_OAUTH_TOKEN_)/i,
  /^SEC_CREDENTIAL_(?:GETTOKEN_OPTS|VAULT_STORER_OPTS|STORECRED_OPTS|SWEEP_DELAY)$/i,
];

function programOf(old: ReadonlyMap<string, string>, knob: string): string | undefined {
  return old.get(knob)?.split('/').at(-1);
}

function portalLines(portal: WsgiPortal): string[] {
  return [
    `# The web server (${portal.file}): remove ${WSGI_DIRECTIVES} and the <Directory> of the script.`,
    '# Write these lines instead (complete file: configs/apache/condor_credmon_web.conf):',
    ...proxyLines(portal).map((text) => `#   ${text}`),
  ];
}

/** Secrets in clear of clients without a login: their section has no line for them. */
function otherSecrets(
  secrets: readonly Kind<'secret'>[],
  logins: readonly string[],
): Kind<'dropped'>[] {
  const known = new Set(logins.map((login) => login.toUpperCase()));
  return secrets
    .filter(({ provider }) => !known.has(provider.toUpperCase()))
    .map(({ provider, place }) => {
      const name = `${provider}_CLIENT_SECRET`;
      return { kind: 'dropped', name, place, why: `in clear; write ${name}_FILE` };
    });
}

/** Lines about what was not read. */
const MOST_UNREAD = 100;

function remarkLines(
  dropped: readonly Kind<'dropped'>[],
  other: readonly Kind<'other'>[],
  unread: readonly string[],
): string[] {
  return [
    ...(dropped.length > 0 ? ['# Without a successor:'] : []),
    ...dropped.map(({ name, place, why }) => `#   ${name} (${place}): ${why}`),
    ...(other.length > 0
      ? [
          `# Not about credentials, left in their files: ${other.map(({ name }) => name).join(', ')}`,
        ]
      : []),
    ...(unread.length > 0 ? ['# Lines that could not be parsed:'] : []),
    ...unread.slice(0, MOST_UNREAD).map((text) => `#   ${printableLine(text)}`),
    ...(unread.length > MOST_UNREAD ? [`#   and ${unread.length - MOST_UNREAD} more`] : []),
  ];
}
