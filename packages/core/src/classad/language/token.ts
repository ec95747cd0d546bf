// What the lexer hands to the parser.
import type { Value } from './value.ts';

/**
 * A token. `text` is the operator or punctuation itself, an identifier's name, or, for
 * `bad`, what is wrong. `is` and `isnt` arrive as the operators `=?=` and `=!=`.
 */
export interface Token {
  readonly kind: 'operator' | 'identifier' | 'literal' | 'bad' | 'end';
  readonly text: string;
  readonly value?: Value;
  readonly start: number;
  readonly end: number;
}

/**
 * How a text is read. `new`: C-like escapes, adjacent strings are joined. `old`: the
 * syntax of `Name = value` lines and configuration values, where a backslash is a
 * backslash unless it stands before a quote.
 */
export type LexerSyntax = 'new' | 'old';
