// Sets of bytes: the named classes, and the effect of the option i.
import type { ByteSet } from './node.ts';

/** Returns the set of the given inclusive ranges of byte values. */
export function rangesSet(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [first, last] of ranges) set.fill(1, first, last + 1);
  return set;
}

/** Returns the set of the characters of `text`, in which `a-z` is a range. */
function charsSet(text: string): ByteSet {
  const ranges = [...text.matchAll(/([^])-([^])|([^])/g)].map(
    ([, first, last, only]): [number, number] => [
      (first ?? only ?? '').charCodeAt(0),
      (last ?? only ?? '').charCodeAt(0),
    ],
  );
  return rangesSet(...ranges);
}

export const negated = (set: ByteSet): ByteSet => set.map((bit) => 1 - bit);

/** Adds `other` to `set`. */
export function include(set: ByteSet, other: ByteSet): void {
  for (let byte = 0; byte < 256; byte += 1) if (other[byte] === 1) set[byte] = 1;
}

/** Adds the other case of every ASCII letter in `set`. */
export function foldCase(set: ByteSet): ByteSet {
  for (let upper = 65; upper <= 90; upper += 1) {
    const bit = (set[upper] ?? 0) | (set[upper + 32] ?? 0);
    set[upper] = bit;
    set[upper + 32] = bit;
  }
  return set;
}

/** Returns the set of one byte, or of both its cases. */
export function byteSet(code: number, caseless: boolean): ByteSet {
  const set = rangesSet([code, code]);
  return caseless ? foldCase(set) : set;
}

export const ANY_BYTE: ByteSet = rangesSet([0, 255]);
export const NOT_NEWLINE: ByteSet = negated(rangesSet([10, 10]));
export const WORD: ByteSet = charsSet('A-Za-z0-9_');

const TYPES: Readonly<Record<string, ByteSet>> = {
  d: charsSet('0-9'),
  w: WORD,
  s: charsSet('\t-\r '),
  h: charsSet('\t \xa0'),
  v: charsSet('\n-\r\x85'),
};

/** Returns the set of `\d`, `\S` etc. by letter; undefined for other letters. */
export function typeSet(letter: string): ByteSet | undefined {
  const lower = letter.toLowerCase();
  const set = Object.hasOwn(TYPES, lower) ? TYPES[lower] : undefined;
  return set === undefined || letter === lower ? set : negated(set);
}

const POSIX: Readonly<Record<string, ByteSet>> = {
  alpha: charsSet('A-Za-z'),
  digit: charsSet('0-9'),
  alnum: charsSet('A-Za-z0-9'),
  upper: charsSet('A-Z'),
  lower: charsSet('a-z'),
  space: charsSet('\t-\r '),
  blank: charsSet('\t '),
  punct: charsSet('!-/:-@[-`{-~'),
  xdigit: charsSet('0-9A-Fa-f'),
  word: WORD,
  print: charsSet(' -~'),
  graph: charsSet('!-~'),
  cntrl: charsSet('\0-\x1f\x7f'),
  ascii: charsSet('\0-\x7f'),
};

/** Returns the set of `[:name:]`; undefined if there is no such class. */
export const posixSet = (name: string): ByteSet | undefined =>
  Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;
