// Random map files and questions about them from a seed, for comparisons with HTCondor.
import { seededRandom, type Chance } from './seeded-random.ts';

/** A map file, whether `CLASSAD_USER_MAP_PREFIX_<name>` is set for it, and its questions. */
export interface RandomMap {
  readonly name: string;
  readonly text: string;
  readonly prefix: boolean;
  readonly questions: readonly MapQuestion[];
}

/** The arguments of `userMap()`; `map` is the map's name, with a method after a dot. */
export interface MapQuestion {
  readonly map: string;
  readonly input: string;
  readonly preferred: string;
  readonly fallback: string;
}

const NAMES =
  String.raw`alice bob carl@example.org Alice alice2 al a a/b a\b "a b" émile x:y`.split(' ');
const INPUTS = [
  ...NAMES.filter((name) => !/[\\"]/.test(name)),
  'a b',
  'alicebob',
  'ali',
  'bob@example.org',
  'carl',
  '',
  'é',
  'aab',
];
const METHODS = ['*', '*', '*', '*', 'FS', 'scitokens', '"*"', '#', '"my method"', '/x/'];
const PATTERNS =
  String.raw`/^a/ /^(.+)@example\.org$/ /(a)(b)?/ /ALICE/i /^.*$/ /a+?/U /(a|(b))+/ /[/ /^a\/b$/ /a\\b/ /(?<n>l)i/ /x`.split(
    ' ',
  );
const CANONICALS =
  String.raw`u physics,cms \1 u\1 \0 \2x "a b" "a,b, c" \\1 \9 , a,,b é x\"y "x\"y" /u/ "open`.split(
    ' ',
  );
const BLANKS = [' ', ' ', ' ', '\t', '   ', ' \t'];

function line(from: Chance): string {
  if (from.one(15)) return from.pick(['', '   ', '# a comment', '*', '* alice', '* "" u']);
  const principal = from.one(2) ? from.pick(NAMES) : from.pick(PATTERNS);
  const fields = [from.pick(METHODS), principal, from.pick(CANONICALS)];
  if (from.one(12)) fields.push(from.pick(['more', '# no comment']));
  const indent = from.one(10) ? from.pick(BLANKS) : '';
  return indent + fields.map((field) => field + from.pick(BLANKS)).join('');
}

/** Of a prefix that is there twice, HTCondor takes the first or the last: it sorts them. */
const isSamePrefix = (one: string, other: string): boolean =>
  principalOf(one) === principalOf(other);

const principalOf = (text: string): string | undefined =>
  /^\s*(?:"[^"]*"|\S+)\s+("[^"]*"|\S+)/.exec(text)?.[1] ?? text;

function question(from: Chance, name: string): MapQuestion {
  const map = from.one(5) ? `${name}.${from.pick(['FS', 'fs', 'scitokens', '*', 'no'])}` : name;
  return {
    map: from.one(10) ? map.toUpperCase() : map,
    input: from.pick(INPUTS),
    preferred: from.pick(['physics', 'cms', 'b', 'u', 'B', '']),
    fallback: from.pick(['none', '']),
  };
}

/** Returns `count` maps, each with `questions` questions. The same seed gives the same. */
export function randomMaps(seed: number, count: number, questions: number): RandomMap[] {
  const from = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const name = `map${index}`;
    const prefix = from.one(4);
    const lines = Array.from({ length: 1 + from.below(9) }, () => line(from)).filter(
      (one, at, all) => !prefix || all.findIndex((other) => isSamePrefix(one, other)) === at,
    );
    return {
      name,
      text: lines.join('\n') + (from.one(8) ? '' : '\n'),
      prefix,
      questions: Array.from({ length: questions }, () => question(from, name)),
    };
  });
}
