// Sets of bytes: the named classes, character classes in brackets, the effect of the option
// i; and the escapes, inside and outside of brackets.
import { type Assertion, type ByteSet, type RegexpNode, refuse } from './node.ts';

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
const BYTE =
  /(?:x\{ *([0-9a-fA-F]+) *\}|o\{([0-7]+)\}|x(?!\{)([0-9a-fA-F]{0,2})|c([ -~])|([aefnrt])|(0[0-7]{0,2}))/y;

/** A byte, and the offset after it. */
interface ByteRead {
  readonly code: number;
  readonly end: number;
}

/**
 * Reads the escape after a backslash at `at` if it is one byte: `n`, `x41`, `x{41}`,
 * `o{101}`, `cA`, `012`.
 * @throws RefusedPattern
 */
function readByteEscape(pattern: string, at: number): ByteRead | undefined {
  BYTE.lastIndex = at;
  const found = BYTE.exec(pattern);
  if (found === null) return undefined;
  const [text, braced, bracedOctal, hexadecimal, control, letter, octal] = found;
  const end = at + text.length;
  if (control !== undefined) return { code: control.toUpperCase().charCodeAt(0) ^ 0x40, end };
  if (letter !== undefined) return { code: CONTROLS[letter] ?? 0, end };
  const octalText = octal ?? bracedOctal;
  const code =
    octalText === undefined
      ? Number.parseInt(braced ?? `0${hexadecimal}`, 16)
      : Number.parseInt(octalText, 8);
  return code > 255 ? refuse('a character beyond one byte') : { code, end };
}

/**
 * True if `[:name:]`, `[.x.]` or `[=x=]` starts at `at`. A backslash hides only a closing
 * bracket or another backslash.
 */
export function opensPosix(pattern: string, at: number): boolean {
  const mark = pattern[at + 1] ?? '';
  if (mark === '' || !':.='.includes(mark)) return false;
  for (let from = at + 2; from < pattern.length - 1; from += 1) {
    const [char, next] = [pattern[from], pattern[from + 1]];
    if (char === '\\' && (next === ']' || next === '\\')) from += 1;
    else if ((char === '[' && next === mark) || char === ']') return false;
    else if (char === mark && next === ']') return true;
  }
  return false;
}

/**
 * Reads the class that starts at `at`.
 * @throws RefusedPattern
 */
export function readClass(
  pattern: string,
  at: number,
  options: { readonly caseless: boolean; readonly blanks: boolean },
): { set: ByteSet; end: number } {
  const inverted = pattern[at + 1] === '^';
  const reader = new ClassReader(pattern, at + (inverted ? 2 : 1), options.blanks);
  const set = reader.run();
  if (options.caseless) foldCase(set);
  return { set: inverted ? negated(set) : set, end: reader.at };
}

type Item = { readonly code: number } | { readonly set: ByteSet };

class ClassReader {
  readonly #pattern: string;
  readonly #blanks: boolean;
  readonly #set: ByteSet = new Uint8Array(256);
  #quoted = false;
  at: number;

  constructor(pattern: string, at: number, blanks: boolean) {
    this.#pattern = pattern;
    this.at = at;
    this.#blanks = blanks;
  }

  run(): ByteSet {
    for (let first = true; ; first = false) {
      this.#skip();
      if (this.at >= this.#pattern.length) refuse('the closing bracket is missing');
      if (!first && !this.#quoted && this.#pattern[this.at] === ']') break;
      this.#member();
    }
    this.at += 1;
    return this.#set;
  }

  /** Skips `\Q`, `\E` and, under xx, blanks. */
  #skip(): void {
    for (;;) {
      const two = this.#pattern.slice(this.at, this.at + 2);
      if (two === '\\E' || (two === '\\Q' && !this.#quoted)) {
        this.#quoted = two === '\\Q';
        this.at += 2;
      } else if (this.#blanks && !this.#quoted && (two[0] === ' ' || two[0] === '\t')) this.at += 1;
      else return;
    }
  }

  #member(): void {
    const item = this.#item();
    this.#skip();
    const ranged =
      !this.#quoted && this.#pattern[this.at] === '-' && this.#pattern[this.at + 1] !== ']';
    if ('set' in item) {
      if (ranged) refuse('a class cannot begin a range');
      include(this.#set, item.set);
      return;
    }
    let last = item.code;
    if (ranged) {
      this.at += 1;
      this.#skip();
      const end = this.#item();
      if ('set' in end || end.code < item.code) refuse('a range that is none');
      last = 'code' in end ? end.code : 0;
    }
    include(this.#set, rangesSet([item.code, last]));
  }

  #item(): Item {
    const char = this.#pattern[this.at];
    if (char === undefined) return refuse('the closing bracket is missing');
    if (!this.#quoted && char === '[' && opensPosix(this.#pattern, this.at)) return this.#posix();
    this.at += 1;
    if (char !== '\\' || this.#quoted) return { code: char.charCodeAt(0) };
    return this.#escape();
  }

  #posix(): Item {
    const found = /^\[:(\^?)([a-z]+):\]/.exec(this.#pattern.slice(this.at, this.at + 80));
    const set = found === null ? undefined : posixSet(found[2] ?? '');
    if (found === null || set === undefined) return refuse('an unknown POSIX class');
    this.at += found[0].length;
    return { set: found[1] === '^' ? negated(set) : set };
  }

  #escape(): Item {
    const letter = this.#pattern[this.at] ?? refuse('a backslash at the end');
    const set = typeSet(letter);
    if (set !== undefined || letter === 'b') {
      this.at += 1;
      return set === undefined ? { code: 8 } : { set };
    }
    const { code, end } = readLiteral(this.#pattern, this.at, /^[0-7]{1,3}/);
    this.at = end;
    return { code };
  }
}

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
function foldCase(set: ByteSet): ByteSet {
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
const posixSet = (name: string): ByteSet | undefined =>
  Object.hasOwn(POSIX, name) ? POSIX[name] : undefined;

// Escapes outside of brackets: sets, assertions, references to groups, single bytes.

/** An escape: its node, whether it may be repeated, and the offset after it. */
interface EscapeRead {
  readonly node: RegexpNode;
  readonly repeatable: boolean;
  readonly end: number;
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'start',
  G: 'from',
  z: 'end',
  Z: 'finalEnd',
  b: 'word',
  B: 'notWord',
};
const REFERENCE = new RegExp(
  [
    /([1-9]\d*)/,
    /g(?:(\d+)|\{(\d+)\}|([-+]\d+)|\{([-+]\d+)\}|\{([A-Za-z_]\w*)\})/,
    /k(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)'|\{([A-Za-z_]\w*)\})/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'y',
);

const setNode = (set: ByteSet): RegexpNode => ({ kind: 'set', set });

const lineBreak: RegexpNode = {
  kind: 'atomic',
  inner: {
    kind: 'choice',
    branches: [
      { kind: 'sequence', items: [setNode(byteSet(13, false)), setNode(byteSet(10, false))] },
      setNode(rangesSet([10, 13], [0x85, 0x85])),
    ],
  },
};

/**
 * Reads the escape after a backslash at `at`.
 * @param groups the number of groups opened before
 * @throws RefusedPattern
 */
export function readEscape(
  pattern: string,
  at: number,
  caseless: boolean,
  groups: number,
): EscapeRead {
  const letter = pattern[at] ?? refuse('a backslash at the end');
  if (/^N\{(?!\d+(?:,\d*)?\})/.test(pattern.slice(at, at + 24)))
    return refuse('a character by name');
  const set =
    typeSet(letter) ?? (letter === 'N' ? NOT_NEWLINE : letter === 'C' ? ANY_BYTE : undefined);
  if (set !== undefined) return { node: setNode(set), repeatable: true, end: at + 1 };
  const assertion = Object.hasOwn(ASSERTIONS, letter) ? ASSERTIONS[letter] : undefined;
  if (assertion !== undefined)
    return { node: { kind: 'assert', assertion }, repeatable: false, end: at + 1 };
  if (letter === 'K') return { node: { kind: 'keep' }, repeatable: false, end: at + 1 };
  if (letter === 'R') return { node: lineBreak, repeatable: true, end: at + 1 };
  const reference = readReference(pattern, at, groups);
  if (reference !== undefined) {
    const node: RegexpNode = { kind: 'reference', group: reference.group, caseless };
    return { node, repeatable: true, end: reference.end };
  }
  // One to three octal digits; those that begin with 0 are read with the other escapes.
  const { code, end } = readLiteral(pattern, at, /^[1-7][0-7]{0,2}/);
  return { node: setNode(byteSet(code, caseless)), repeatable: true, end };
}

function readReference(
  pattern: string,
  at: number,
  groups: number,
): { group: number | string; end: number } | undefined {
  REFERENCE.lastIndex = at;
  const found = REFERENCE.exec(pattern);
  if (found === null) return undefined;
  const end = at + found[0].length;
  const [, plain, bare, braced, bareStep, bracedStep] = found;
  const step = bareStep ?? bracedStep;
  if (plain !== undefined) {
    // From 10 on, digits without a group of that number are an octal code.
    const number = Number(plain);
    const octal = number > 9 && number > groups && /^[0-7]/.test(plain);
    return octal ? undefined : { group: number, end };
  }
  if (step !== undefined) {
    const group = Number(step) < 0 ? groups + 1 + Number(step) : groups + Number(step);
    return group < 1 ? refuse('a reference to no group') : { group, end };
  }
  const number = bare ?? braced;
  if (number !== undefined) return { group: Number(number), end };
  return { group: found[6] ?? found[7] ?? found[8] ?? found[9] ?? '', end };
}

/** Reads one byte: by its octal code, as `octal` finds it, by another escape, or itself. */
function readLiteral(pattern: string, at: number, octal: RegExp): ByteRead {
  const digits = octal.exec(pattern.slice(at, at + 3))?.[0];
  const letter = pattern[at] ?? '';
  const read =
    digits === undefined
      ? readByteEscape(pattern, at)
      : { code: Number.parseInt(digits, 8), end: at + digits.length };
  if (read === undefined && /[A-Za-z0-9]/.test(letter)) return refuse('an unknown escape');
  const { code, end } = read ?? { code: letter.charCodeAt(0), end: at + 1 };
  return code > 255 ? refuse('a character beyond one byte') : { code, end };
}
