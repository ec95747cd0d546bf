// Quoted texts: strings and quoted attribute names, with the escapes of either syntax.

/**
 * A quoted text that was read: its bytes, the offset after the closing quote, and what is
 * wrong with it, if anything.
 */
export interface QuotedRead {
  readonly text: string;
  readonly end: number;
  readonly problem?: string;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const OCTAL = /[0-3][0-7]{0,2}|[4-7][0-7]?/y;

/**
 * Reads the quoted text that opens at `at` with C-like escapes: `\n`, octal `\101`, any
 * other `\x` is `x`. A NUL ends every text.
 */
export function readEscaped(source: string, at: number): QuotedRead {
  const quote = source[at] ?? '';
  let text = '';
  let from = at + 1;
  for (let i = from; i < source.length; i += 1) {
    const char = source[i] ?? '';
    if (char === quote) return { text: text + source.slice(from, i), end: i + 1 };
    if (char === '\0') break;
    if (char !== '\\') continue;
    text += source.slice(from, i);
    const escape = readEscape(source, i + 1);
    if (escape.problem !== undefined) return { ...escape, end: i };
    text += escape.text;
    from = escape.end;
    i = from - 1;
  }
  return { text, end: at, problem: 'the closing quote is missing' };
}

function readEscape(source: string, at: number): QuotedRead {
  OCTAL.lastIndex = at;
  const octal = OCTAL.exec(source)?.[0];
  if (octal === undefined) {
    const char = source[at] ?? '';
    return { text: ESCAPES[char] ?? char, end: at + 1 };
  }
  const code = Number.parseInt(octal, 8);
  const end = at + octal.length;
  return code === 0
    ? { text: '', end, problem: 'a string cannot hold the character 0' }
    : { text: String.fromCharCode(code), end };
}

/**
 * Reads the quoted text that opens at `at` in the old syntax: a backslash is itself,
 * unless it stands before a quote that does not end the line.
 */
export function readRaw(source: string, at: number): QuotedRead {
  const quote = source[at] ?? '';
  let text = '';
  let from = at + 1;
  for (;;) {
    const close = source.indexOf(quote, from);
    if (close < 0 || source.slice(from, close).includes('\0')) {
      return { text, end: at, problem: 'the closing quote is missing' };
    }
    if (source[close - 1] !== '\\' || close - 1 < from || endsLine(source, close + 1)) {
      return { text: text + source.slice(from, close), end: close + 1 };
    }
    text += source.slice(from, close - 1) + quote;
    from = close + 1;
  }
}

const endsLine = (source: string, at: number): boolean =>
  at >= source.length || source[at] === '\n' || source[at] === '\r';
