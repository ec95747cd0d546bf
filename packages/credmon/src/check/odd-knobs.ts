// Knobs that nobody reads: misspelt, or of a provider that no list names. HTCondor passes over them without a word.
import { distance, nearest } from './distance.ts';
import { warning, type Finding } from './finding.ts';
import { knownKnobs, type ConfiguredNames, type NamedKnob } from './known-knobs.ts';

/** A knob that somebody set, and where: `file, line N`. */
export interface SetKnob {
  readonly name: string;
  readonly place: string;
}

const WHAT = 'configuration';

/** Knobs that look like a credmon's. Those of other daemons about a credmon (`MASTER_CREDMON_OAUTH_...`) do not. */
const OURS = /^(?!(?:MASTER|SEC|ALLOW|DENY|SCHEDD|CREDD)_)(?:\w+_)?CREDMON_/i;

/** Of HTCondor's own knobs, those that a credmon cannot do without. Its table of defaults knows none so near to them. */
const NEEDED = [
  'SEC_CREDENTIAL_DIRECTORY_OAUTH',
  'SEC_CREDENTIAL_DIRECTORY',
  'SEC_CREDENTIAL_STORER',
  'SEC_CREDENTIAL_REFRESH',
  'SEC_CREDENTIAL_GETTOKEN_OPTS',
  'TRUSTED_VAULT_HOSTS',
];

/** A warning for each knob of `knobs` that nobody reads, with what was probably meant. */
export function oddKnobs(knobs: readonly SetKnob[], configured: ConfiguredNames): Finding[] {
  const { plain, named } = knownKnobs(configured);
  const all = [
    ...plain,
    ...named.flatMap(({ before, after, names }) => names.map((name) => `${before}${name}${after}`)),
  ];
  const known = new Set(all.map((name) => name.toLowerCase()));
  const begins = configured.logins.map((name) => `${name}_`.toLowerCase());
  return knobs.flatMap(({ name: written, place }) => {
    // `CREDMON_OAUTH.X` is X for one program.
    const name = written.slice(written.lastIndexOf('.') + 1);
    if (known.has(name.toLowerCase())) return [];
    const meant = nearest(name, all);
    if (OURS.test(name)) return [warning(WHAT, `${place}: ${ofNobody(name, named) ?? unknown(name, meant)}`)];
    const needed = NEEDED.find((one) => distance(name, one) <= 2);
    if (needed !== undefined) return [warning(WHAT, `${place}: ${unknown(name, needed)}`)];
    const ofLogin = begins.some((begin) => name.toLowerCase().startsWith(begin));
    return ofLogin && meant !== undefined ? [warning(WHAT, `${place}: ${unknown(name, meant)}`)] : [];
  });
}

function unknown(name: string, meant: string | undefined): string {
  const hint = meant === undefined ? 'see docs/knobs.md' : `did you mean ${meant}?`;
  return `${name} is no knob that credmon knows; ${hint}`;
}

/** The knob of a provider that there is not: the longest fit, since a name may hold an underscore. */
function ofNobody(name: string, named: readonly NamedKnob[]): string | undefined {
  const fits = named
    .filter(({ before, after }) => isAround(name, before, after))
    .sort((a, b) => around(b).length - around(a).length);
  const [best] = fits;
  if (!best) return undefined;
  const provider = name.slice(best.before.length, name.length - best.after.length);
  const meant = nearest(provider, best.names);
  const hint = meant === undefined ? '' : `; did you mean ${best.before}${meant}${best.after}?`;
  return `${name} counts for nothing: ${best.lacking(provider)}${hint}`;
}

const around = ({ before, after }: NamedKnob): string => before + after;

/** Only a text in front can tell whose knob it is. */
function isAround(name: string, before: string, after: string): boolean {
  const [text, start, end] = [name.toLowerCase(), before.toLowerCase(), after.toLowerCase()];
  return (
    start !== '' && text.length > start.length + end.length && text.startsWith(start) && text.endsWith(end)
  );
}
