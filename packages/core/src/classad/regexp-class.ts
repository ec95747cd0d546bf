// Character classes and single characters of PCRE2, as sets of bytes that JavaScript understands.

const POSIX: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\t-\\r ',
  blank: '\\t ',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  print: ' -~',
  graph: '!-~',
  cntrl: '\\x00-\\x1f\\x7f',
  ascii: '\\x00-\\x7f',
};

const CONTROLS: Readonly<Record<string, string>> = {
  a: '\\x07',
  e: '\\x1b',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
};

const SETS: Readonly<Record<string, string>> = {
  s: '\\t-\\r ',
  h: '\\t \\xa0',
  v: '\\n-\\r\\x85',
  d: '\\d',
  w: '\\w',
};

/** The text of a byte inside or outside a class. */
export const byteText = (code: number): string => `\\x${(code & 0xff).toString(16).padStart(2, '0')}`;

const isLetter = (char: string): boolean => /[A-Za-z]/.test(char);

/** A literal character; without regard to case it becomes a class of both forms. */
export function literalText(char: string, caseless: boolean): string {
  if (caseless && isLetter(char)) return `[${char.toLowerCase()}${char.toUpperCase()}]`;
  return /[A-Za-z0-9]/.test(char) ? char : byteText(char.charCodeAt(0));
}

/** An escape for one byte: `\n`, `\x41`, `\x{41}`, `\cA`, `\101`. */
export function readByteEscape(pattern: string, at: number): { code: number; end: number } | undefined {
  const found = /^(?:x\{([0-9a-fA-F]{1,2})\}|x([0-9a-fA-F]{0,2})|c([ -~])|(0[0-7]{0,2}|[1-3][0-7]{2}))/.exec(
    pattern.slice(at, at + 8),
  );
  if (found === null) return undefined;
  const [text, braced, hexadecimal, control, octal] = found;
  const end = at + text.length;
  if (control !== undefined) return { code: control.toUpperCase().charCodeAt(0) ^ 0x40, end };
  if (octal !== undefined) return { code: Number.parseInt(octal, 8) & 0xff, end };
  return { code: Number.parseInt(braced ?? (hexadecimal || '0'), 16), end };
}

/** A one-letter escape that stands for a byte, such as `\n`. */
export const controlText = (letter: string): string | undefined =>
  Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined;

/** A set escape (`\s`, `\D` ...) as the inside of a class; undefined when `letter` is none. */
export function setText(letter: string): { set: string; negated: boolean } | undefined {
  const set = Object.hasOwn(SETS, letter.toLowerCase()) ? SETS[letter.toLowerCase()] : undefined;
  return set === undefined ? undefined : { set, negated: letter !== letter.toLowerCase() };
}

/** Reads the class that opens at `at`. @returns its translation and end, undefined when it is malformed */
export function readClass(
  pattern: string,
  at: number,
  caseless: boolean,
): { text: string; end: number } | undefined {
  const negated = pattern[at + 1] === '^';
  let from = at + (negated ? 2 : 1);
  const parts: string[] = [];
  let inverted = '';
  for (let first = true; from < pattern.length; first = false) {
    if (pattern[from] === ']' && !first) {
      const body = parts.join('');
      const text = inverted === '' ? `[${negated ? '^' : ''}${body}]` : withInverted(body, inverted, negated);
      return { text, end: from + 1 };
    }
    const item = readItem(pattern, from);
    if (item === undefined) return undefined;
    from = item.end;
    if (item.set !== undefined) {
      if (item.negated) inverted += `|[^${item.set}]`;
      else parts.push(item.set);
      continue;
    }
    const range = readRangeEnd(pattern, from);
    if (range === undefined) return undefined;
    from = range.end;
    const last = range.code ?? item.code;
    if (last < item.code) return undefined;
    parts.push(rangeText(item.code, last, caseless));
  }
  return undefined;
}

const withInverted = (body: string, inverted: string, negated: boolean): string =>
  negated ? `(?:(?!${body === '' ? '(?!)' : `[${body}]`}${inverted})[^])` : `(?:[${body}]${inverted})`;

interface ClassItem {
  readonly code: number;
  readonly end: number;
  readonly set?: string;
  readonly negated?: boolean;
}

function readItem(pattern: string, at: number): ClassItem | undefined {
  const posix = /^\[:(\^?)([a-z]+):\]/.exec(pattern.slice(at, at + 16));
  if (posix !== null) {
    const set = Object.hasOwn(POSIX, posix[2] ?? '') ? POSIX[posix[2] ?? ''] : undefined;
    return set === undefined
      ? undefined
      : { code: 0, end: at + posix[0].length, set, negated: posix[1] === '^' };
  }
  const char = pattern[at] ?? '';
  if (char !== '\\') return { code: char.charCodeAt(0), end: at + 1 };
  const letter = pattern[at + 1];
  if (letter === undefined) return undefined;
  const set = setText(letter);
  if (set !== undefined) return { code: 0, end: at + 2, ...set };
  if (letter === 'b') return { code: 8, end: at + 2 };
  const byte = readByteEscape(pattern, at + 1);
  if (byte !== undefined) return byte;
  const control = 'aefnrt'.indexOf(letter);
  if (control >= 0) return { code: [7, 27, 12, 10, 13, 9][control] ?? 0, end: at + 2 };
  return isLetter(letter) ? undefined : { code: letter.charCodeAt(0), end: at + 2 };
}

/** The end of a range after its first byte; no `code` when there is no range; undefined when it ends in a set. */
function readRangeEnd(pattern: string, at: number): { code?: number; end: number } | undefined {
  if (pattern[at] !== '-' || pattern[at + 1] === ']' || pattern[at + 1] === undefined) return { end: at };
  const last = readItem(pattern, at + 1);
  return last === undefined || last.set !== undefined ? undefined : last;
}

function rangeText(first: number, last: number, caseless: boolean): string {
  const plain = (a: number, b: number): string =>
    a > b ? '' : a === b ? byteText(a) : `${byteText(a)}-${byteText(b)}`;
  if (!caseless) return plain(first, last);
  const lower = plain(Math.max(first, 65) + 32, Math.min(last, 90) + 32);
  const upper = plain(Math.max(first, 97) - 32, Math.min(last, 122) - 32);
  return plain(first, last) + lower + upper;
}
