// Parses patterns to trees: alternatives, quantifiers and groups, with the meaning of
// PCRE2 10.42 for bytes; and the constructs after an opening parenthesis.
import {
  ANY_BYTE,
  NOT_NEWLINE,
  byteSet,
  opensPosix,
  readClass,
  readEscape,
} from './classes-and-escapes.ts';
import { type Pattern, type RegexpNode, type RepeatMode, refuse } from './node.ts';

const DEEPEST = 250;
const MOST_REPEATS = 65_535;
const QUANTIFIER = /(?:([*+?])|\{(\d{1,9})(?:(,)(\d{0,9}))?\})/y;

/**
 * Parses a pattern, one char a byte, with options of `i m s x U`. @throws RefusedPattern
 */
export function parsePattern(pattern: string, options: string): Pattern {
  return new PatternReader(pattern, new Set(options)).run();
}

interface Item {
  readonly node: RegexpNode;
  readonly repeatable: boolean;
}

class PatternReader {
  readonly #pattern: string;
  readonly #names = new Map<string, number>();
  #flags: Flags;
  #at = 0;
  #groups = 0;
  #depth = 0;
  #quoted = false;
  #isNumberedAgain = false;

  constructor(pattern: string, flags: Flags) {
    this.#pattern = pattern;
    this.#flags = flags;
  }

  run(): Pattern {
    const root = this.#alternatives(false);
    if (this.#at < this.#pattern.length) refuse('a closing parenthesis too many');
    return {
      root,
      groups: this.#groups,
      names: this.#names,
      isNumberedAgain: this.#isNumberedAgain,
    };
  }

  /** @param reset whether every branch numbers its groups from the same number (`(?|`) */
  #alternatives(reset: boolean): RegexpNode {
    this.#isNumberedAgain ||= reset;
    const first = this.#groups;
    let most = first;
    const branches = [this.#sequence()];
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1;
      most = Math.max(most, this.#groups);
      if (reset) this.#groups = first;
      branches.push(this.#sequence());
    }
    this.#groups = Math.max(most, this.#groups);
    return branches.length === 1 && branches[0] !== undefined
      ? branches[0]
      : { kind: 'choice', branches };
  }

  #sequence(): RegexpNode {
    const items: RegexpNode[] = [];
    for (;;) {
      this.#skip();
      const char = this.#pattern[this.#at];
      if (char === undefined || (!this.#quoted && (char === '|' || char === ')'))) break;
      const item = this.#item(char);
      if (item === undefined) continue;
      this.#skip();
      items.push(this.#quoted ? item.node : this.#quantified(item));
    }
    return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'sequence', items };
  }

  /** Skips `\Q`, `\E`, comments and, under x, blanks. */
  #skip(): void {
    for (;;) {
      const rest = this.#pattern.slice(this.#at, this.#at + 3);
      if (rest.startsWith('\\E') || (rest.startsWith('\\Q') && !this.#quoted)) {
        this.#quoted = rest[1] === 'Q';
        this.#at += 2;
      } else if (this.#quoted) return;
      else if (rest === '(?#') this.#skipTo(')', true);
      else if (!this.#flags.has('x')) return;
      else if (rest[0] === '#') this.#skipTo('\n', false);
      else if (/^[ \t\n\v\f\r]/.test(rest)) this.#at += 1;
      else return;
    }
  }

  #skipTo(end: string, required: boolean): void {
    const found = this.#pattern.indexOf(end, this.#at);
    if (found < 0 && required) refuse('a comment without end');
    this.#at = found < 0 ? this.#pattern.length : found + 1;
  }

  #item(char: string): Item | undefined {
    if (this.#quoted) return this.#single(byteSet(char.charCodeAt(0), this.#flags.has('i')));
    switch (char) {
      case '\\': {
        const caseless = this.#flags.has('i');
        const { end, ...item } = readEscape(this.#pattern, this.#at + 1, caseless, this.#groups);
        this.#at = end;
        return item;
      }
      case '[':
        return this.#class();
      case '(':
        return this.#group();
      case '^':
        return this.#assertion(this.#flags.has('m') ? 'lineStart' : 'start');
      case '$':
        return this.#assertion(this.#flags.has('m') ? 'lineEnd' : 'finalEnd');
      case '.':
        return this.#single(this.#flags.has('s') ? ANY_BYTE : NOT_NEWLINE);
      default:
        if (this.#quantifierAt() !== undefined) refuse('a quantifier without anything to repeat');
        return this.#single(byteSet(char.charCodeAt(0), this.#flags.has('i')));
    }
  }

  #single(set: Uint8Array): Item {
    this.#at += 1;
    return { node: { kind: 'set', set }, repeatable: true };
  }

  #assertion(assertion: 'start' | 'lineStart' | 'lineEnd' | 'finalEnd'): Item {
    this.#at += 1;
    return { node: { kind: 'assert', assertion }, repeatable: false };
  }

  #class(): Item {
    if (opensPosix(this.#pattern, this.#at)) refuse('a POSIX class outside brackets');
    const options = { caseless: this.#flags.has('i'), blanks: this.#flags.has('xx') };
    const { set, end } = readClass(this.#pattern, this.#at, options);
    this.#at = end;
    return { node: { kind: 'set', set }, repeatable: true };
  }

  #quantifierAt(): RegExpExecArray | undefined {
    QUANTIFIER.lastIndex = this.#at;
    return QUANTIFIER.exec(this.#pattern) ?? undefined;
  }

  #quantified({ node, repeatable }: Item): RegexpNode {
    const found = this.#quantifierAt();
    if (found === undefined) return node;
    const [text, sign, low, comma, high] = found;
    if (!repeatable) refuse('a quantifier without anything to repeat');
    this.#at += text.length;
    const least = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const upper = high === undefined || high === '' ? Infinity : Number(high);
    const most =
      sign === undefined ? (comma === undefined ? least : upper) : sign === '?' ? 1 : Infinity;
    if (least > MOST_REPEATS || (most !== Infinity && most > MOST_REPEATS) || least > most) {
      refuse('a number of repeats that is too great, or out of order');
    }
    return { kind: 'repeat', inner: node, least, most, mode: this.#mode() };
  }

  /** Reads what makes a quantifier lazy or possessive; what is nothing may be before it. */
  #mode(): RepeatMode {
    this.#skip();
    const next = this.#quoted ? undefined : this.#pattern[this.#at];
    const suffix = next === '?' || next === '+' ? next : undefined;
    if (suffix !== undefined) this.#at += 1;
    if (suffix === '+') return 'possessive';
    return (suffix === '?') === this.#flags.has('U') ? 'greedy' : 'lazy';
  }

  #group(): Item | undefined {
    const opener = openerAt(this.#pattern, this.#at, this.#flags);
    this.#at += opener.length;
    if (opener.kind === 'flags') {
      this.#flags = opener.flags;
      return undefined;
    }
    if (opener.kind === 'reference') {
      const caseless = this.#flags.has('i');
      return { node: { kind: 'reference', group: opener.name, caseless }, repeatable: true };
    }
    if (this.#depth >= DEEPEST) refuse('groups nested too deep');
    const outer = this.#flags;
    this.#flags = opener.flags;
    this.#depth += 1;
    const node = this.#opened(opener);
    this.#depth -= 1;
    this.#flags = outer;
    return { node, repeatable: true };
  }

  #opened(opener: Exclude<Opener, { kind: 'flags' | 'reference' }>): RegexpNode {
    switch (opener.kind) {
      case 'capture': {
        this.#groups += 1;
        const number = this.#groups;
        if (opener.name !== undefined) this.#name(opener.name, number);
        return { kind: 'group', number, inner: this.#closed(false) };
      }
      case 'atomic':
        return { kind: 'atomic', inner: this.#closed(false) };
      case 'look': {
        const { behind, negative } = opener;
        return { kind: 'look', behind, negative, inner: this.#closed(false) };
      }
      case 'condition':
        return condition(opener.group, this.#closed(false));
      default:
        // A separate sequence keeps a single choice apart from that of an enclosing
        // condition or lookbehind.
        return { kind: 'sequence', items: [this.#closed(opener.reset)] };
    }
  }

  #closed(reset: boolean): RegexpNode {
    const inner = this.#alternatives(reset);
    if (this.#pattern[this.#at] !== ')') refuse('a closing parenthesis is missing');
    this.#at += 1;
    return inner;
  }

  #name(name: string, number: number): void {
    if ((this.#names.get(name) ?? number) !== number) refuse('a name given twice');
    this.#names.set(name, number);
  }
}

const NOTHING: RegexpNode = { kind: 'sequence', items: [] };

function condition(group: number | string, body: RegexpNode): RegexpNode {
  const [yes = NOTHING, no = NOTHING, third] = body.kind === 'choice' ? body.branches : [body];
  if (third !== undefined) refuse('a condition with more than two branches');
  return { kind: 'condition', group, yes, no };
}

/**
 * The active options, by letter; `xx` in addition to `x` if blanks inside classes are
 * skipped, too.
 */
export type Flags = ReadonlySet<string>;

/**
 * The kind of a parenthesis, the length of its opener, and the options inside (for
 * `flags`: from here on).
 */
type Opener =
  | {
      readonly kind: 'capture';
      readonly name?: string;
      readonly length: number;
      readonly flags: Flags;
    }
  | {
      readonly kind: 'plain';
      readonly reset: boolean;
      readonly length: number;
      readonly flags: Flags;
    }
  | { readonly kind: 'atomic'; readonly length: number; readonly flags: Flags }
  | { readonly kind: 'flags'; readonly length: number; readonly flags: Flags }
  | {
      readonly kind: 'look';
      readonly behind: boolean;
      readonly negative: boolean;
      readonly length: number;
      readonly flags: Flags;
    }
  | {
      readonly kind: 'condition';
      readonly group: number | string;
      readonly length: number;
      readonly flags: Flags;
    }
  | { readonly kind: 'reference'; readonly name: string; readonly length: number };

const NAME = '[A-Za-z_]\\w{0,31}';
const NAMED = new RegExp(`^\\(\\?(?:P?<(${NAME})>|'(${NAME})')`);
const REFERENCE = new RegExp(`^\\(\\?P=(${NAME})\\)`);
const CONDITION = new RegExp(`^\\(\\?\\((?:(\\d{1,5})|<(${NAME})>|'(${NAME})')\\)`);
const INLINE = /^\(\?(\^?)([imsxnUJ]*)(?:-([imsxnUJ]*))?([:)])/;
const LOOK = /^\(\?(<?)([=!])/;

/**
 * Reads the parenthesis at `at`.
 * @throws RefusedPattern for recursion, verbs and unknown constructs
 */
function openerAt(pattern: string, at: number, flags: Flags): Opener {
  const text = pattern.slice(at, at + 96);
  if (text.startsWith('(*')) return refuse('a verb');
  if (!text.startsWith('(?')) {
    return flags.has('n')
      ? { kind: 'plain', reset: false, length: 1, flags }
      : { kind: 'capture', length: 1, flags };
  }
  if (text.startsWith('(?>')) return { kind: 'atomic', length: 3, flags };
  if (text.startsWith('(?|')) return { kind: 'plain', reset: true, length: 3, flags };
  return named(text, flags) ?? inline(text, flags) ?? refuse('a kind of group that is not known');
}

function named(text: string, flags: Flags): Opener | undefined {
  const name = NAMED.exec(text);
  if (name !== null)
    return { kind: 'capture', name: name[1] ?? name[2] ?? '', length: name[0].length, flags };
  const reference = REFERENCE.exec(text);
  if (reference !== null)
    return { kind: 'reference', name: reference[1] ?? '', length: reference[0].length };
  const condition = CONDITION.exec(text);
  if (condition !== null) {
    const [{ length }, number, pointed, quoted] = condition;
    const group = number === undefined ? (pointed ?? quoted ?? '') : Number(number);
    return { kind: 'condition', group, length, flags };
  }
  const look = LOOK.exec(text);
  if (look === null) return undefined;
  return {
    kind: 'look',
    behind: look[1] === '<',
    negative: look[2] === '!',
    length: look[0].length,
    flags,
  };
}

function inline(text: string, flags: Flags): Opener | undefined {
  const found = INLINE.exec(text);
  if (found === null) return undefined;
  const [{ length }, reset, on = '', off = '', end] = found;
  if (reset === '^' && found[3] !== undefined) return refuse('a minus after (?^');
  const changed = new Set(flags);
  if (reset === '^') for (const flag of 'imsxn') changed.delete(flag);
  if (reset === '^' || /x/.test(on + off)) changed.delete('xx');
  for (const flag of on) changed.add(flag);
  if (on.includes('xx')) changed.add('xx');
  for (const flag of off) changed.delete(flag);
  return end === ')'
    ? { kind: 'flags', length, flags: changed }
    : { kind: 'plain', reset: false, length, flags: changed };
}
