// Finds knobs that are not used: misspelt, guessed, or of a provider that is not listed.
// HTCondor ignores them silently.
import { warning, type Finding } from '../../base/text/findings.ts';
import { distance, nearest } from '../../base/values/distance.ts';
import {
  TYPO,
  knownKnobs,
  meantBy,
  similarKnobs,
  type Candidate,
  type ConfiguredNames,
  type NamedKnob,
} from './similar-knobs.ts';
import type { SetKnob } from './set-knobs.ts';

/**
 * A knob that is set. `value` returns its expanded value: only the form of a secret is
 * looked at, and no value is shown.
 */
export interface UnjudgedKnob extends Pick<SetKnob, 'name' | 'place'> {
  readonly value?: (() => string | undefined) | undefined;
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
export function unusedKnobs(
  knobs: readonly UnjudgedKnob[],
  configured: ConfiguredNames,
): Finding[] {
  const { plain, named } = knownKnobs(configured);
  const candidates: readonly Candidate[] = [
    ...plain.map((name) => ({ name })),
    ...named.flatMap(({ before, after, names }) =>
      names.map((owner) => ({ name: `${before}${owner}${after}`, owner })),
    ),
  ];
  const all = candidates.map(({ name }) => name);
  const known = new Set(all.map((name) => name.toLowerCase()));
  const vocabulary = new Set(plain.flatMap((name) => name.toLowerCase().split('_')));
  const begins = configured.logins.map((name) => `${name}_`.toLowerCase());
  const sentenceFor = ({ name, value }: UnjudgedKnob): string | undefined => {
    if (known.has(name.toLowerCase())) return undefined;
    const ofLogin = begins.some((begin) => name.toLowerCase().startsWith(begin));
    if (!OURS.test(name) && !ofLogin) {
      const needed = neededKnob(name);
      return needed === undefined ? undefined : unknown(name, [needed]);
    }
    const meant = meantBy(name, all, candidates);
    if (isSecret(name)) return unknown(name, meant, isInClear(value?.()) ? IN_CLEAR : '');
    if (!OURS.test(name)) return meant.length > 0 ? unknown(name, meant) : undefined;
    const other = ofUnknownProvider(name, named);
    // A "provider" such as TOKEN is rather a word of a guessed name.
    const isGuess =
      meant.length > 0 &&
      (other?.provider ?? '')
        .toLowerCase()
        .split('_')
        .every((word) => vocabulary.has(word));
    return other && !isGuess ? other.text : unknown(name, meant);
  };
  return knobs.flatMap((knob) => {
    const sentence = sentenceFor(knob);
    return sentence === undefined ? [] : [warning(WHAT, `${knob.place}: ${sentence}`)];
  });
}

/** Finds a knob of HTCondor by a typo, or by its words where the guess lacks one. */
function neededKnob(name: string): string | undefined {
  const typo = NEEDED.find((one) => distance(name, one) <= TYPO);
  const count = name.split('_').length;
  if (typo !== undefined || count < 2 || /condor/i.test(name)) return typo;
  const longer = NEEDED.filter((one) => one.split('_').length > count);
  const similar = similarKnobs(
    name,
    longer.map((one) => ({ name: one })),
  );
  return similar.length === 1 ? similar[0] : undefined;
}

const IN_CLEAR = '; the secret is in clear: everyone who may run condor_config_val can read it';

/** A knob for a secret itself, which no program of ours reads from the configuration. */
function isSecret(name: string): boolean {
  return /(?:^|_)(?:CLIENT_?)?(?:SECRET|PASSWORD)$/i.test(name);
}

function isInClear(value: string | undefined): boolean {
  return value !== undefined && value !== '' && !value.startsWith('/');
}

/** The most similar knobs in a message. */
const MOST_SHOWN = 4;

function unknown(name: string, meant: readonly string[], also = ''): string {
  const [first, ...others] = meant;
  const subject = `unknown knob ${name}${also}`;
  if (first === undefined) return `${subject}; see docs/knobs.md`;
  if (others.length === 0) return `${subject}; did you mean ${first}?`;
  const more = meant.length > MOST_SHOWN ? ' and others' : '';
  return `${subject}; see docs/knobs.md: similar are ${meant.slice(0, MOST_SHOWN).join(', ')}${more}`;
}

/**
 * Explains a knob of an unknown provider: the longest pattern wins, since a name may
 * contain an underscore.
 */
function ofUnknownProvider(
  name: string,
  named: readonly NamedKnob[],
): { readonly provider: string; readonly text: string } | undefined {
  const fits = named
    .filter(({ before, after }) => isAround(name, before, after))
    .sort((a, b) => around(b).length - around(a).length);
  const [best] = fits;
  if (!best) return undefined;
  const provider = name.slice(best.before.length, name.length - best.after.length);
  const meant = nearest(provider, best.names);
  const hint = meant === undefined ? '' : `; did you mean ${best.before}${meant}${best.after}?`;
  return { provider, text: `${name} has no effect: ${best.lacking(provider)}${hint}` };
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
