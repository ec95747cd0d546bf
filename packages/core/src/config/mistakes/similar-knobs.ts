// Finds the knob that was meant by a guessed name: names that consist of the same words,
// where edit distance does not help.
import { distance, nearest } from '../../base/values/distance.ts';
import { smallest } from '../../base/values/numbers.ts';
import guesses from './guessed-words.json' with { type: 'json' };

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
