// Finds knobs that are not used: misspelt, or of a provider that is not listed. HTCondor
// ignores them silently.
import { distance, nearest, warning, type Finding } from '@credmon/core/base';
import { CLIENT_KINDS, KNOBS } from '@credmon/core/config';
import suffixes from './daemon-suffixes.json' with { type: 'json' };

/** A knob that is set, and where: `file, line N`. */
export interface SetKnob {
  readonly name: string;
  readonly place: string;
}

const WHAT = 'configuration';

/**
 * Names of a credmon's knobs, without those of other daemons about a credmon
 * (`MASTER_CREDMON_OAUTH_...`).
 */
const OURS = /^(?!(?:MASTER|SEC|ALLOW|DENY|SCHEDD|CREDD)_)(?:\w+_)?CREDMON_/i;

/**
 * HTCondor's own knobs that a credmon needs. Its table of defaults has no similar names.
 */
const NEEDED = [
  'SEC_CREDENTIAL_DIRECTORY_OAUTH',
  'SEC_CREDENTIAL_DIRECTORY',
  'SEC_CREDENTIAL_STORER',
  'SEC_CREDENTIAL_REFRESH',
  'SEC_CREDENTIAL_GETTOKEN_OPTS',
  'TRUSTED_VAULT_HOSTS',
];

/** Returns a warning for each unused knob of `knobs`, with the probable name. */
export function unusedKnobs(knobs: readonly SetKnob[], configured: ConfiguredNames): Finding[] {
  const { plain, named } = knownKnobs(configured);
  const all = [
    ...plain,
    ...named.flatMap(({ before, after, names }) => names.map((name) => `${before}${name}${after}`)),
  ];
  const known = new Set(all.map((name) => name.toLowerCase()));
  const begins = configured.logins.map((name) => `${name}_`.toLowerCase());
  return knobs.flatMap(({ name: written, place }) => {
    // `CREDMON_OAUTH.X` is the knob X of one program.
    const name = written.slice(written.lastIndexOf('.') + 1);
    if (known.has(name.toLowerCase())) return [];
    const meant = nearest(name, all);
    if (OURS.test(name))
      return [warning(WHAT, `${place}: ${ofUnknownProvider(name, named) ?? unknown(name, meant)}`)];
    const needed = NEEDED.find((one) => distance(name, one) <= 2);
    if (needed !== undefined) return [warning(WHAT, `${place}: ${unknown(name, needed)}`)];
    const ofLogin = begins.some((begin) => name.toLowerCase().startsWith(begin));
    return ofLogin && meant !== undefined
      ? [warning(WHAT, `${place}: ${unknown(name, meant)}`)]
      : [];
  });
}

function unknown(name: string, meant: string | undefined): string {
  const hint = meant === undefined ? 'see docs/knobs.md' : `did you mean ${meant}?`;
  return `unknown knob ${name}; ${hint}`;
}

/**
 * Explains a knob of an unknown provider: the longest pattern wins, since a name may
 * contain an underscore.
 */
function ofUnknownProvider(name: string, named: readonly NamedKnob[]): string | undefined {
  const fits = named
    .filter(({ before, after }) => isAround(name, before, after))
    .sort((a, b) => around(b).length - around(a).length);
  const [best] = fits;
  if (!best) return undefined;
  const provider = name.slice(best.before.length, name.length - best.after.length);
  const meant = nearest(provider, best.names);
  const hint = meant === undefined ? '' : `; did you mean ${best.before}${meant}${best.after}?`;
  return `${name} has no effect: ${best.lacking(provider)}${hint}`;
}

const around = ({ before, after }: NamedKnob): string => before + after;

/** A pattern without a prefix cannot identify a knob. */
function isAround(name: string, before: string, after: string): boolean {
  const [text, start, end] = [name.toLowerCase(), before.toLowerCase(), after.toLowerCase()];
  return (
    start !== '' &&
    text.length > start.length + end.length &&
    text.startsWith(start) &&
    text.endsWith(end)
  );
}

/** The names in the configuration, by kind. */
export interface ConfiguredNames {
  readonly local: readonly string[];
  readonly client: readonly string[];
  readonly exchange: readonly string[];
  readonly pelican: readonly string[];
  readonly exec: readonly string[];
  /** Providers with a browser or device login. */
  readonly logins: readonly string[];
  readonly standing: readonly string[];
  readonly maps: readonly string[];
  readonly subsystem: string;
}

/**
 * A knob for one provider or standing token: the text around the name, the configured
 * names, and what is missing for other names.
 */
export interface NamedKnob {
  readonly before: string;
  readonly after: string;
  readonly names: readonly string[];
  readonly lacking: (name: string) => string;
}

/** All knobs of the table with these names. */
export interface KnownKnobs {
  readonly plain: readonly string[];
  readonly named: readonly NamedKnob[];
}

/**
 * Fills the names into the table. Daemons' own knobs, such as CREDMON_OAUTH_ARGS, are
 * included.
 */
export function knownKnobs(configured: ConfiguredNames): KnownKnobs {
  const plain: string[] = [];
  const named: NamedKnob[] = [];
  for (const pattern of declaredNames().flatMap(withKinds)) {
    const [before, place, after = ''] = pattern.split(/<([A-Z]+)>/);
    if (before === undefined || place === undefined) plain.push(pattern);
    else if (place === 'SUBSYS')
      for (const name of subsystems(configured)) plain.push(`${before}${name}${after}`);
    else named.push({ before, after, ...namesFor(pattern, place, configured) });
  }
  for (const daemon of subsystems(configured))
    for (const end of ['', ...suffixes.map((suffix) => `_${suffix}`)])
      plain.push(`${daemon}${end}`);
  return { plain, named };
}

function subsystems({ subsystem }: ConfiguredNames): readonly string[] {
  return [...new Set([subsystem, 'CREDMON_OAUTH', 'CREDMON_WEB', 'CREDMON_KRB'])];
}

function declaredNames(): string[] {
  return Object.entries(KNOBS).flatMap(([name, { own }]) => [name, ...(own ? [own] : [])]);
}

function withKinds(name: string): string[] {
  if (!name.includes('<KIND>')) return [name];
  return CLIENT_KINDS.map((kind) => name.replace('<KIND>', kind));
}

function namesFor(
  pattern: string,
  place: string,
  configured: ConfiguredNames,
): Pick<NamedKnob, 'names' | 'lacking'> {
  const inList = (knob: string) => (name: string) => `${name} is not listed in ${knob}`;
  if (place === 'TOKEN')
    return { names: configured.standing, lacking: inList('CREDMON_STANDING_TOKENS') };
  if (place === 'MAP') return { names: configured.maps, lacking: inList('CLASSAD_USER_MAP_NAMES') };
  const kind =
    /^(LOCAL|CLIENT|EXCHANGE|PELICAN|EXEC)_CREDMON_/.exec(pattern)?.[1] ?? otherKind(pattern);
  if (kind === undefined)
    return { names: configured.logins, lacking: (name) => `${name}_CLIENT_ID is not set` };
  const names =
    configured[kind.toLowerCase() as 'local' | 'client' | 'exchange' | 'pelican' | 'exec'];
  return { names, lacking: inList(`${kind}_CREDMON_PROVIDER_NAMES`) };
}

function otherKind(pattern: string): string | undefined {
  if (pattern.endsWith('_KEY_DIRECTORY')) return 'LOCAL';
  return pattern.startsWith('<PROVIDER>_PELICAN_') ? 'PELICAN' : undefined;
}
