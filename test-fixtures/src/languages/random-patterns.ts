// Random regular expressions from a seed, in calls of ClassAds' functions, for comparisons
// with other implementations.
import type { RandomExpression } from './random-expressions.ts';
import { seededRandom, type Chance } from './seeded-random.ts';
import { OPTIONS, REPLACEMENTS } from './vocabulary.ts';

const ATOMS = [
  ' ',
  ...String.raw`a b c x y 1 7 - . _ \d \w \s \D \W \b \B \A \z \Z \h \R \N ^ $ [abc] [^a] [a-y]`.split(
    ' ',
  ),
  ...String.raw`[[:digit:]] [\w-] []a] [x\]] \x41 \1 \2 \g{-1} \t \Qa.b\E \. \/ é \141 \cA \K`.split(
    ' ',
  ),
];
const GROUPS = ['', '', '', '?:', '?=', '?!', '?<=', '?<!', '?>', '?i:', '?<n>', '?|', '?-i:'];
const REPEATS = ['*', '+', '?', '{2}', '{1,2}', '{0}', '{2,}', '*?', '+?', '??', '*+', '{1,3}?'];
const SUBJECTS =
  String.raw`|a|abc|aab cxy|ABC|17-x|xyxyxy|a.b|node_17\nabc|caaab|é| \t |ccba\n|A1b2|a\r\nb|bab-_-bab`.split(
    '|',
  );

function pattern(from: Chance, depth: number): string {
  const parts = Array.from({ length: 1 + from.below(4) }, () => repeated(from, depth));
  const text = parts.join('');
  return from.one(6) ? `${text}|${pattern(from, depth - 1)}` : text;
}

function repeated(from: Chance, depth: number): string {
  const one =
    depth > 0 && from.one(4)
      ? `(${from.pick(GROUPS)}${pattern(from, depth - 1)})`
      : from.pick(ATOMS);
  return from.one(3) ? one + from.pick(REPEATS) : one;
}

const inQuotes = (text: string): string => `"${text.replaceAll('\\', '\\\\')}"`;

/**
 * Returns `count` calls of functions that take a regular expression. The same seed gives
 * the same ones. None is damaged.
 */
export function randomPatterns(seed: number, count: number): RandomExpression[] {
  const from = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const args = [inQuotes(pattern(from, 3)), `"${from.pick(SUBJECTS)}"`];
    const options = from.one(2) ? [`"${from.pick(OPTIONS)}"`] : [];
    const [name, ...more] = from.pick([
      ['regexp'],
      ['regexps', `"${from.pick(REPLACEMENTS)}"`],
      ['replace', `"${from.pick(REPLACEMENTS)}"`],
      ['replaceAll', '"<\\\\0>"'],
      ['regexps', '"\\\\1;\\\\2;\\\\3"'],
    ]);
    const expression = `${name ?? ''}(${[...args, ...more, ...options].join(', ')})`;
    return { ad: '[ ]', target: undefined, expression, damaged: false };
  });
}
