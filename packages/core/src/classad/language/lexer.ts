// Text to tokens, one at a time: what follows a complete expression is never looked at.
import { readNumber } from './lex-number.ts';
import { readEscaped, readRaw } from './lex-string.ts';
import type { LexerSyntax, Token } from './token.ts';
import { ERROR, FALSE, TRUE, UNDEFINED, stringValue } from './value.ts';
import type { Value } from './value.ts';

const BLANKS = /[ \t\n\v\f\r]*/y;
const IDENTIFIER = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /=\?=|=!=|>>>|\.\.|[=!<>]=|<<|>>|&&|\|\||[-+*/%!~<>&|^?:;,=.()[\]{}]/y;
const NUMBER = /\.?[0-9]/y;
const OPERAND_ENDS = new Set([')', ']', '}']);

const CONSTANTS: Readonly<Record<string, Value>> = {
  true: TRUE,
  false: FALSE,
  undefined: UNDEFINED,
  error: ERROR,
};
const WORD_OPERATORS: Readonly<Record<string, string>> = { is: '=?=', isnt: '=!=' };

/** How the lexer reads; see {@link LexerSyntax}. */
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

/** The offset of the first byte at or after `at` that is not blank. */
export function skipWhite(source: string, at: number): number {
  BLANKS.lastIndex = at;
  BLANKS.test(source);
  return BLANKS.lastIndex;
}

/** The offset of the first byte at or after `at` that is neither blank nor comment. */
export function skipBlanks(source: string, at: number): number {
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
  return !endsOperand(previous) && match(NUMBER, source, start + 1) !== undefined;
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

function quotedToken(source: string, start: number, options: LexerOptions): Token {
  const read = options.syntax === 'new' ? readEscaped : readRaw;
  const first = read(source, start);
  if (first.problem !== undefined) return bad(first.problem, first.end);
  if (source[start] === "'") return { kind: 'identifier', text: first.text, start, end: first.end };
  let { text, end } = first;
  while (options.syntax === 'new') {
    const following = skipBlanks(source, end);
    if (source[following] !== '"') break;
    const next = readEscaped(source, following);
    if (next.problem !== undefined) return bad(next.problem, next.end);
    text += next.text;
    end = next.end;
  }
  return { kind: 'literal', text: 'a string', value: stringValue(text), start, end };
}

const bad = (text: string, start: number): Token => ({ kind: 'bad', text, start, end: start });
