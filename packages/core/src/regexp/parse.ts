// Parses patterns to trees: alternatives, quantifiers and groups, with the meaning of
// PCRE2 10.42 for bytes.
import { readClass, opensPosix } from './class.ts';
import { readEscape } from './escape.ts';
import { openerAt } from './group.ts';
import type { Flags, Opener } from './group.ts';
import { refuse } from './node.ts';
import type { Pattern, RegexpNode, RepeatMode } from './node.ts';
import { ANY_BYTE, NOT_NEWLINE, byteSet } from './set.ts';

const DEEPEST = 250;
const MOST_REPEATS = 65_535;
const QUANTIFIER = /(?:([*+?])|\{(\d{1,9})(?:(,)(\d{0,9}))?\})/y;

/**
 * Parses a pattern, one char for each byte, with options of `i m s x U`.
 * @throws RefusedPattern
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

  constructor(pattern: string, flags: Flags) {
    this.#pattern = pattern;
    this.#flags = flags;
  }

  run(): Pattern {
    const root = this.#alternatives(false);
    if (this.#at < this.#pattern.length) refuse('a closing parenthesis too many');
    return { root, groups: this.#groups, names: this.#names };
  }

  /** @param reset whether every branch numbers its groups from the same number (`(?|`) */
  #alternatives(reset: boolean): RegexpNode {
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
