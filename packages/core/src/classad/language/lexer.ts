// Splits a text into tokens on demand: never reads beyond a complete expression.
import {
  ERROR,
  FALSE,
  TRUE,
  UNDEFINED,
  stringValue,
  type Value,
  integerValue,
  realValue,
} from './value.ts';
import { leadingNumber } from './number-text.ts';

const BLANKS = /[ \t\n\v\f\r]*/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /=\?=|=!=|>>>|\?:|\.\.|[=!<>]=|<<|>>|&&|\|\||[-+*/%!~<>&|^?:;,=.()[\]{}]/y;
const NUMBER = /\.{0,2}[0-9]/y;
const SIGNED_NUMBER = /-\.?[0-9]/y;
const OPERAND_ENDS = new Set([')', ']', '}']);

const CONSTANTS: Readonly<Record<string, Value>> = {
  true: TRUE,
  false: FALSE,
  undefined: UNDEFINED,
  error: ERROR,
};
const WORD_OPERATORS: Readonly<Record<string, string>> = { is: '=?=', isnt: '=!=' };

/** Options of the lexer; see {@link LexerSyntax}. */
export interface LexerOptions {
  readonly syntax: LexerSyntax;
  readonly leadingZeros: boolean;
}

/**
 * Reads the token at or after `at`.
 * @param previous the token before it: a minus directly before a digit belongs to the
 * number unless an operand precedes
 */
export function readToken(
  source: string,
  at: number,
  previous: Token | undefined,
  options: LexerOptions,
): Token {
  const start = skipBlanks(source, at);
  const char = source[start] ?? '\0';
  if (char === '\0') return { kind: 'end', text: 'the end', start, end: start };
  const word = match(IDENTIFIER, source, start);
  if (word !== undefined) return wordToken(word, start);
  if (char === '"' || char === "'") return quotedToken(source, start, options);
  if (startsNumber(source, start, char, previous)) {
    const { value, end, problem } = readNumber(source, start, options.leadingZeros);
    return problem === undefined
      ? { kind: 'literal', text: source.slice(start, end), value, start, end }
      : { kind: 'bad', text: problem, start, end };
  }
  if (source.startsWith('/*', start))
    return { kind: 'bad', text: 'a comment without end', start, end: start };
  const text = match(OPERATOR, source, start);
  if (text === undefined)
    return { kind: 'bad', text: 'an unexpected character', start, end: start + 1 };
  return { kind: 'operator', text: text === '..' ? '.' : text, start, end: start + text.length };
}

/** Returns the offset of the first byte at or after `at` that is not blank. */
export function skipWhite(source: string, at: number): number {
  BLANKS.lastIndex = at;
  BLANKS.test(source);
  return BLANKS.lastIndex;
}

/**
 * Returns the offset of the first byte at or after `at` that is neither blank nor
 * comment.
 */
function skipBlanks(source: string, at: number): number {
  for (let from = at; ;) {
    const start = skipWhite(source, from);
    const line = source.startsWith('//', start);
    if (!line && !source.startsWith('/*', start)) return start;
    const close = line ? source.indexOf('\n', start) : source.indexOf('*/', start + 2);
    if (close < 0) return line ? source.length : start;
    from = close + (line ? 1 : 2);
  }
}

function startsNumber(
  source: string,
  start: number,
  char: string,
  previous: Token | undefined,
): boolean {
  if (char !== '-') return match(NUMBER, source, start) !== undefined;
  return !endsOperand(previous) && match(SIGNED_NUMBER, source, start) !== undefined;
}

const endsOperand = (token: Token | undefined): boolean =>
  token !== undefined && (token.kind !== 'operator' || OPERAND_ENDS.has(token.text));

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function wordToken(word: string, start: number): Token {
  const key = word.toLowerCase();
  const end = start + word.length;
  const operator = Object.hasOwn(WORD_OPERATORS, key) ? WORD_OPERATORS[key] : undefined;
  if (operator !== undefined) return { kind: 'operator', text: operator, start, end };
  const value = Object.hasOwn(CONSTANTS, key) ? CONSTANTS[key] : undefined;
  if (value !== undefined) return { kind: 'literal', text: word, value, start, end };
  return { kind: 'identifier', text: word, start, end };
}

/** Reads a string or a quoted name. In the new syntax, adjacent ones are one. */
function quotedToken(source: string, start: number, options: LexerOptions): Token {
  const quote = source[start] ?? '';
  const { text, end, problem } =
    options.syntax === 'new' ? readEscaped(source, start) : readRaw(source, start);
  if (problem !== undefined) return bad(problem, end);
  return quote === "'"
    ? { kind: 'identifier', text, start, end }
    : { kind: 'literal', text: 'a string', value: stringValue(text), start, end };
}

const bad = (text: string, start: number): Token => ({ kind: 'bad', text, start, end: start });

// The tokens between lexer and parser.

/**
 * A token. `text` is the operator or punctuation itself, an identifier's name, or, for
 * `bad`, the error. `is` and `isnt` become the operators `=?=` and `=!=`.
 */
export interface Token {
  readonly kind: 'operator' | 'identifier' | 'literal' | 'bad' | 'end';
  readonly text: string;
  readonly value?: Value;
  readonly start: number;
  readonly end: number;
}

/**
 * The syntax of a text. `new`: C-like escapes, adjacent strings are joined. `old`: the
 * syntax of `Name = value` lines and configuration values, where a backslash is an
 * ordinary character except before a quote.
 */
export type LexerSyntax = 'new' | 'old';

// Number literals: digits, leading zeros, hexadecimal, fraction and exponent.

/** A number literal, or its error. */
interface NumberRead {
  readonly value: Value;
  readonly end: number;
  readonly problem?: string;
}

const HEXADECIMAL = /-?0[xX]([0-9a-fA-F]*)(\.\d*(?:[eE][-+]?\d*)?)?/y;
const DECIMAL = /-?(\d*)(\.\d*)?([eE][-+]?\d*)?/y;
const DOUBLED_POINT = /\.\.\d+(?:[eE][-+]?\d*)?/y;
const GREATEST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

/**
 * Reads the number at `at`, where the caller has found a digit, `.digit`, `..digit` or a
 * minus directly before a digit or `.digit`.
 * @param leadingZeros whether `010` (ten) and `0x1F` (zero, like in the reference) are
 * accepted; with a minus they always are
 */
function readNumber(source: string, at: number, leadingZeros: boolean): NumberRead {
  const zeros = leadingZeros || source[at] === '-';
  const hexadecimal = match(HEXADECIMAL, source, at);
  if (hexadecimal !== undefined) return hexadecimalNumber(hexadecimal, at, zeros);
  // The reference reads such a text with `strtod`, which finds no number.
  const doubled = match(DOUBLED_POINT, source, at);
  if (doubled !== undefined) {
    const problem = /[eE][-+]?$/.test(doubled) ? NO_EXPONENT : undefined;
    return finish(realValue(0), at + doubled.length, problem);
  }
  DECIMAL.lastIndex = at;
  const [text = '', whole = '', fraction, exponent] = DECIMAL.exec(source) ?? [];
  const end = at + text.length;
  if (fraction === '.') return finish(ERROR, end, NO_FRACTION);
  if (exponent !== undefined && !/\d/.test(exponent)) return finish(ERROR, end, NO_EXPONENT);
  if (fraction !== undefined || exponent !== undefined) return finish(realValue(Number(text)), end);
  const padded = whole.length > 1 && whole.startsWith('0');
  const problem =
    padded && (!zeros || /[89]/.test(whole)) ? 'a number with a leading zero' : undefined;
  return finish(integerInRange(text), end, problem);
}

const NO_FRACTION = 'a digit is missing after the decimal point';
const NO_EXPONENT = 'an exponent without digits';

/**
 * Like in the reference, an integer stops at the `x` and is zero, but with a fraction the
 * whole text is a real.
 */
function hexadecimalNumber(text: string, at: number, zeros: boolean): NumberRead {
  const [, digits = '', rest = ''] = /0[xX]([0-9a-fA-F]*)(.*)/.exec(text) ?? [];
  const end = at + text.length;
  if (digits === '') return finish(ERROR, end, 'a hexadecimal number');
  if (rest === '') return finish(integerValue(0n), end, zeros ? undefined : 'a hexadecimal number');
  if (rest === '.') return finish(ERROR, end, NO_FRACTION);
  if (/[eE][-+]?$/.test(rest)) return finish(ERROR, end, NO_EXPONENT);
  return finish(realValue(leadingNumber(text) ?? 0), end);
}

function integerInRange(text: string): Value {
  const value = BigInt(text);
  return integerValue(value > GREATEST || value < LEAST ? 0n : value);
}

const finish = (value: Value, end: number, problem?: string): NumberRead =>
  problem === undefined ? { value, end } : { value, end, problem };

// Quoted texts: strings and quoted attribute names, with the escapes of both syntaxes.

/**
 * A quoted text: its bytes, the offset after the closing quote, and the error, if any.
 */
interface QuotedRead {
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
 * Reads the quoted texts from `at` on that only blanks separate, with C-like escapes:
 * `\n`, octal `\101`, any other `\x` is `x`. Escapes are resolved in the joined text. A
 * NUL ends every text.
 */
function readEscaped(source: string, at: number): QuotedRead {
  const quote = source[at] ?? '';
  let raw = '';
  let next = at;
  let end = at;
  while (source[next] === quote) {
    end = closingQuote(source, next, quote) + 1;
    if (end === 0) return { text: '', end: next, problem: 'the closing quote is missing' };
    raw += source.slice(next + 1, end - 1);
    next = skipWhite(source, end);
  }
  return unescaped(raw, at, end);
}

/** Returns the offset of the quote that closes the one at `at`; -1 if there is none. */
function closingQuote(source: string, at: number, quote: string): number {
  for (let i = at + 1; i < source.length; i += 1) {
    const char = source[i];
    if (char === quote) return i;
    if (char === '\0') break;
    if (char === '\\') i += 1;
  }
  return -1;
}

/** Replaces the escapes of `raw`, the text between the quotes from `start` to `end`. */
function unescaped(raw: string, start: number, end: number): QuotedRead {
  let text = '';
  let from = 0;
  for (let at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
    const escape = readEscape(raw, at + 1);
    if (escape.problem !== undefined) return { ...escape, end: start };
    text += raw.slice(from, at) + escape.text;
    from = escape.end;
  }
  return { text: text + raw.slice(from), end };
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
 * Reads the quoted text that starts at `at` in the old syntax: a backslash is an ordinary
 * character, except before a quote that does not end the line.
 */
function readRaw(source: string, at: number): QuotedRead {
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
