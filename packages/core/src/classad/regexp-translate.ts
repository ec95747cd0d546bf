// A PCRE2 pattern on bytes, rewritten for JavaScript's engine. Options are worked into the source: JavaScript's own `i` would
// fold bytes beyond ASCII, its `.` and `$` know other line ends, and Node 20 has no `(?i)`.
import { byteText, controlText, literalText, readByteEscape, readClass, setText } from './regexp-class.ts';

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly x: boolean;
}

interface Group {
  readonly flags: Flags;
  readonly start: number;
}

const END = '(?![^])';
const ANCHORS: Readonly<Record<string, string>> = {
  A: '(?<![^])',
  z: END,
  Z: `(?=\\n?${END})`,
  G: '(?<![^])',
  b: '\\b',
  B: '\\B',
  N: '[^\\n]',
  R: '(?:\\r\\n|[\\n-\\r\\x85])',
};

/** The JavaScript source for `pattern` under the `options` i, m, s, x; undefined when PCRE2 would refuse it or we cannot follow. */
export function translatePattern(pattern: string, options: string): string | undefined {
  const has = (flag: string): boolean => options.includes(flag);
  const translation = new Translation(pattern, { i: has('i'), m: has('m'), s: has('s'), x: has('x') });
  return translation.run() ? translation.text() : undefined;
}

class Translation {
  readonly #pattern: string;
  #flags: Flags;
  #at = 0;
  readonly #parts: string[] = [];
  readonly #groups: Group[] = [];
  /** Index in #parts of the atom that a quantifier would repeat, -1 when nothing can be repeated. */
  #atom = -1;

  constructor(pattern: string, flags: Flags) {
    this.#pattern = pattern;
    this.#flags = flags;
  }

  text(): string {
    return this.#parts.join('');
  }

  run(): boolean {
    while (this.#at < this.#pattern.length) if (!this.#step()) return false;
    return this.#groups.length === 0;
  }

  #step(): boolean {
    const char = this.#pattern[this.#at] ?? '';
    if (this.#flags.x && this.#skipped(char)) return true;
    switch (char) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#class();
      case '(':
        return this.#open();
      case ')':
        return this.#close();
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#quantifier();
      case '|':
        this.#at += 1;
        return this.#control('|');
      case '^':
        this.#at += 1;
        return this.#push(this.#flags.m ? '(?<![^\\n])' : '(?<![^])');
      case '$':
        this.#at += 1;
        return this.#push(this.#flags.m ? `(?=\\n|${END})` : `(?=\\n?${END})`);
      case '.':
        this.#at += 1;
        return this.#push(this.#flags.s ? '[^]' : '[^\\n]');
      default:
        this.#at += 1;
        return this.#push(literalText(char, this.#flags.i));
    }
  }

  /** Under `x`, blanks and comments mean nothing. */
  #skipped(char: string): boolean {
    if (char === '#') {
      const newline = this.#pattern.indexOf('\n', this.#at);
      this.#at = newline < 0 ? this.#pattern.length : newline + 1;
      return true;
    }
    if (!' \t\n\v\f\r'.includes(char)) return false;
    this.#at += 1;
    return true;
  }

  #push(text: string): boolean {
    this.#atom = this.#parts.push(text) - 1;
    return true;
  }

  #control(text: string): boolean {
    this.#parts.push(text);
    this.#atom = -1;
    return true;
  }

  #class(): boolean {
    const found = readClass(this.#pattern, this.#at, this.#flags.i);
    if (found === undefined) return false;
    this.#at = found.end;
    return this.#push(found.text);
  }

  #escape(): boolean {
    const letter = this.#pattern[this.#at + 1];
    if (letter === undefined) return false;
    if (letter === 'Q') return this.#quotedRun();
    if (letter === 'E') {
      this.#at += 2;
      return true;
    }
    const reference = /^(?:([1-9]\d?)|g\{?([1-9]\d?)\}?|k(?:<(\w+)>|\{(\w+)\}|'(\w+)'))/.exec(
      this.#pattern.slice(this.#at + 1, this.#at + 64),
    );
    const byte = readByteEscape(this.#pattern, this.#at + 1);
    if (byte !== undefined) {
      this.#at = byte.end;
      return this.#push(literalText(String.fromCharCode(byte.code), this.#flags.i));
    }
    if (reference !== null) {
      this.#at += 1 + reference[0].length;
      const name = reference[3] ?? reference[4] ?? reference[5];
      return this.#push(name === undefined ? `(?:\\${reference[1] ?? reference[2]})` : `\\k<${name}>`);
    }
    this.#at += 2;
    return this.#letterEscape(letter);
  }

  #letterEscape(letter: string): boolean {
    const set = setText(letter);
    if (set !== undefined) return this.#push(`[${set.negated ? '^' : ''}${set.set}]`);
    const known = (Object.hasOwn(ANCHORS, letter) ? ANCHORS[letter] : undefined) ?? controlText(letter);
    if (known !== undefined) return this.#push(known);
    return /[A-Za-z0-9]/.test(letter) ? false : this.#push(byteText(letter.charCodeAt(0)));
  }

  #quotedRun(): boolean {
    const end = this.#pattern.indexOf('\\E', this.#at + 2);
    const run = this.#pattern.slice(this.#at + 2, end < 0 ? undefined : end);
    for (const char of run) this.#push(literalText(char, this.#flags.i));
    this.#at = end < 0 ? this.#pattern.length : end + 2;
    return true;
  }

  #open(): boolean {
    const rest = this.#pattern.slice(this.#at, this.#at + 80);
    if (rest.startsWith('(?#')) {
      const end = this.#pattern.indexOf(')', this.#at);
      this.#at = end + 1;
      return end >= 0;
    }
    const inline = /^\(\?([imsx]*)(?:-([imsx]*))?([:)])/.exec(rest);
    if (inline !== null) return this.#inlineFlags(inline);
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    const backReference = /^\(\?P=(\w+)\)/.exec(rest);
    if (backReference !== null) {
      this.#at += backReference[0].length;
      return this.#push(`\\k<${backReference[1]}>`);
    }
    const [text = ''] = named ?? /^\(\?(?:=|!|<=|<!)/.exec(rest) ?? ['('];
    if (text === '(' && /^\(\*|^\(\?/.test(rest)) return false;
    return this.#begin(text.length, named === null ? text : `(?<${named[1] ?? named[2]}>`);
  }

  #begin(length: number, text: string, flags: Flags = this.#flags): boolean {
    this.#groups.push({ flags: this.#flags, start: this.#parts.length });
    this.#flags = flags;
    this.#at += length;
    return this.#control(text);
  }

  #inlineFlags([text, on = '', off = '', end]: RegExpExecArray): boolean {
    const flag = (name: 'i' | 'm' | 's' | 'x'): boolean =>
      !off.includes(name) && (on.includes(name) || this.#flags[name]);
    const flags = { i: flag('i'), m: flag('m'), s: flag('s'), x: flag('x') };
    if (end === ':') return this.#begin(text.length, '(?:', flags);
    this.#flags = flags;
    this.#at += text.length;
    return true;
  }

  #close(): boolean {
    const group = this.#groups.pop();
    if (group === undefined) return false;
    this.#flags = group.flags;
    this.#at += 1;
    const body = this.#parts.splice(group.start).join('');
    return this.#push(`${body})`);
  }

  /** Possessive quantifiers are refused: JavaScript has nothing that means the same without changing group numbers. */
  #quantifier(): boolean {
    const found = /^(?:[*+?]|\{(\d+)(?:,(\d*))?\}|\{,(\d+)\})([?+]?)/.exec(
      this.#pattern.slice(this.#at, this.#at + 24),
    );
    if (found === null) {
      this.#at += 1;
      return this.#push('\\{');
    }
    if (this.#atom < 0 || found[4] === '+') return false;
    this.#at += found[0].length;
    const atom = this.#parts[this.#atom] ?? '';
    const quantifier = found[3] === undefined ? found[0] : `{0,${found[3]}}${found[4]}`;
    const wrapped = /^\(\?(?:<?[=!])|^\\[bB]$/.test(atom) ? `(?:${atom})` : atom;
    this.#parts[this.#atom] = `${wrapped}${quantifier}`;
    this.#atom = -1;
    return true;
  }
}
