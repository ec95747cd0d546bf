// The names of all knobs with the configured names in them; and which of them was meant by a
// guessed name.
import { distance, nearest } from '../../base/values/distance.ts';
import { smallest } from '../../base/values/numbers.ts';
import { CLIENT_KINDS, KNOBS } from '../typed/declarations.ts';
import suffixes from './daemon-suffixes.json' with { type: 'json' };
import guesses from './guessed-words.json' with { type: 'json' };

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
  if (kind === undefined) return ofLogins(pattern, configured);
  const names =
    configured[kind.toLowerCase() as 'local' | 'client' | 'exchange' | 'pelican' | 'exec'];
  return { names, lacking: inList(`${kind}_CREDMON_PROVIDER_NAMES`) };
}

/** Knobs of a provider that mean something only for logins. */
const ONLY_LOGINS =
  /^(?:<PROVIDER>_|CREDMON_<PROVIDER>_(?:ISSUER|CLIENT_AUTH|REVOCATION_URL|DEVICE_URL|USER_CLAIM)$)/;

/** The kinds of providers that may have the same name by mistake, by their lists. */
const LISTS = ['local', 'client', 'exchange', 'pelican', 'exec'] as const;

function ofLogins(
  pattern: string,
  configured: ConfiguredNames,
): Pick<NamedKnob, 'names' | 'lacking'> {
  const others = ONLY_LOGINS.test(pattern)
    ? []
    : LISTS.filter((kind) => kind !== 'local').flatMap((kind) => configured[kind]);
  const lacking = (name: string): string => {
    const list = LISTS.find((kind) => configured[kind].includes(name));
    return list === undefined
      ? `${name}_CLIENT_ID is not set`
      : `${list.toUpperCase()}_CREDMON_PROVIDER_NAMES lists ${name}, so users do not log in for it`;
  };
  return { names: [...configured.logins, ...others], lacking };
}

function otherKind(pattern: string): string | undefined {
  if (pattern.endsWith('_KEY_DIRECTORY')) return 'LOCAL';
  return pattern.startsWith('<PROVIDER>_PELICAN_') ? 'PELICAN' : undefined;
}

// Names that consist of the same words, where edit distance does not help.

/** A knob, and the provider or token in its name, which counts as one word. */
export interface Candidate {
  readonly name: string;
  readonly owner?: string | undefined;
}

/** The costs of a difference. A lower sum is more similar. */
const COST = {
  form: 0.1,
  abbreviation: 0.2,
  guessed: 0.3,
  typo: 0.4,
  /** A word of the knob that the guess does not have. */
  missing: 1,
  /** A word of the guess that the knob does not have. */
  extra: 1.5,
};

/** The most words that a guess may lack. */
const MOST_MISSING = 2;

/** A name with more words is compared as it is: each guessed word doubles the work. */
const MOST_WORDS = 8;

/** Words that are in many names and say nothing about the meaning. */
const NOISE = new Set(['credmon', 'oauth', 'oauth2', 'condor']);

/** The most letters that a typo changes; more are rather another word. */
export const TYPO = 2;

/** Finds what was meant: first by a typo, then by the words, then by many letters. */
export function meantBy(
  name: string,
  all: readonly string[],
  candidates: readonly Candidate[],
): readonly string[] {
  const near = nearest(name, all);
  if (near !== undefined && distance(name, near) <= TYPO) return [near];
  const similar = similarKnobs(name, candidates);
  return similar.length > 0 || near === undefined ? similar : [near];
}

/**
 * Returns the candidates that are most similar to `name` by their words: one, or several
 * to the same degree; none if no candidate is similar.
 */
export function similarKnobs(name: string, candidates: readonly Candidate[]): readonly string[] {
  let least = Number.POSITIVE_INFINITY;
  let best: string[] = [];
  for (const candidate of candidates) {
    const cost = costOf(name, candidate);
    if (cost > least) continue;
    if (cost < least) best = [];
    if (cost < Number.POSITIVE_INFINITY) best.push(candidate.name);
    least = cost;
  }
  return [...new Set(best)];
}

/** Returns how far the words of a guess are from those of a knob; Infinity if too far. */
function costOf(guess: string, { name, owner }: Candidate): number {
  const wanted = wordsOf(name, owner);
  const given = wordsOf(guess, owner);
  if (owner !== undefined && !given.includes(OWNER)) return Number.POSITIVE_INFINITY;
  return smallest(spellings(given).map(({ words, cost }) => cost + distanceOf(words, wanted)));
}

/** Stands for the name of a provider or token. */
const OWNER = '<>';

function wordsOf(name: string, owner: string | undefined): string[] {
  const plain = `_${name.toLowerCase()}_`;
  const around =
    owner === undefined ? plain : plain.replace(`_${owner.toLowerCase()}_`, `_${OWNER}_`);
  return around.split('_').filter((word) => word !== '' && !NOISE.has(word));
}

/** The words as given, and with each guessed word replaced by the word of our knobs. */
function spellings(
  given: readonly string[],
): readonly { readonly words: readonly string[]; readonly cost: number }[] {
  let all: { words: readonly string[]; cost: number }[] = [{ words: [], cost: 0 }];
  for (const word of given) {
    const others = given.length > MOST_WORDS ? [] : (GUESSED.get(word) ?? []);
    all = all.flatMap(({ words, cost }) => [
      { words: [...words, word], cost },
      ...others.map((other) => ({ words: [...words, ...other], cost: cost + COST.guessed })),
    ]);
  }
  return all;
}

const GUESSED = new Map(
  Object.entries(guesses.words).map(([word, others]) => [
    word.toLowerCase(),
    others.map((other) => other.toLowerCase().split(' ')),
  ]),
);

function distanceOf(given: readonly string[], wanted: readonly string[]): number {
  const left = [...wanted];
  let cost = 0;
  let extra = 0;
  for (const word of given) {
    const costs = left.map((one) => costOfWord(word, one));
    const least = smallest(costs);
    if (least === Number.POSITIVE_INFINITY) extra += 1;
    else {
      cost += least;
      left.splice(costs.indexOf(least), 1);
    }
  }
  const missing = left.length;
  // Names that differ in both directions are about different things.
  if (missing > MOST_MISSING || extra > 1 || (extra > 0 && missing > 0))
    return Number.POSITIVE_INFINITY;
  // A knob with fewer words than the guess must still say something besides its owner.
  if (extra > 0 && wanted.filter((word) => word !== OWNER).length === 0)
    return Number.POSITIVE_INFINITY;
  return cost + missing * COST.missing + extra * COST.extra;
}

function costOfWord(word: string, other: string): number {
  if (word === other) return 0;
  if (word === OWNER || other === OWNER) return Number.POSITIVE_INFINITY;
  if (`${word}s` === other || `${other}s` === word) return COST.form;
  const [short, long] = word.length < other.length ? [word, other] : [other, word];
  if (short.length >= 3 && long.startsWith(short)) return COST.abbreviation;
  if (short.length >= 4 && distance(word, other) <= (short.length >= 8 ? 2 : 1)) return COST.typo;
  return Number.POSITIVE_INFINITY;
}
