// The tokens of the language, and the error for a text that is not in it.
import { CodedError } from '../../base/errors/errors.ts';
import { type Limits, limitError } from '../../regexp/node.ts';
import type { Expr } from './ast.ts';
import { textOf } from './value.ts';
import { type LexerOptions, type Token, readToken } from './lexer.ts';

/** A stream of tokens over a byte string. */
export class Tokens {
  readonly source: string;
  readonly limits: Limits;
  readonly #options: LexerOptions;
  readonly #quote: boolean;
  #current: Token;
  #previous: Token | undefined;
  #nesting = 0;

  /** @param quote whether errors may quote the text */
  constructor(source: string, at: number, options: LexerOptions, limits: Limits, quote: boolean) {
    if (source.length > limits.textLength) throw limitError('textLength', limits);
    this.source = source;
    this.limits = limits;
    this.#options = options;
    this.#quote = quote;
    this.#current = readToken(source, at, undefined, options);
  }

  /** Whether the text has the semantics of HTCondor's daemons. */
  get oldSemantics(): boolean {
    return !this.#options.leadingZeros;
  }

  /** The next token. */
  get peek(): Token {
    return this.#current;
  }

  /** The offset after the last taken token. */
  get taken(): number {
    return this.#previous?.end ?? 0;
  }

  /** True if the next token is the operator or punctuation `text`. */
  at(text: string): boolean {
    return this.#current.kind === 'operator' && this.#current.text === text;
  }

  take(): Token {
    const token = this.#current;
    this.#previous = token;
    this.#current = readToken(this.source, token.end, token, this.#options);
    return token;
  }

  /** Takes `text` if it is the next token. */
  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.take();
    return true;
  }

  /**
   * Takes `text`.
   * @throws CLASSAD_SYNTAX for another token, which is taken, too, like in the reference
   */
  expect(text: string): void {
    if (!this.accept(text)) this.failBehind(`\`${text}\` expected`);
  }

  /**
   * Takes a name.
   * @throws as {@link expect}
   */
  name(): string {
    if (this.#current.kind !== 'identifier') this.failBehind('an attribute name expected');
    return this.take().text;
  }

  /**
   * Takes the next token.
   * @throws CLASSAD_SYNTAX at this token
   */
  failBehind(expected: string): never {
    try {
      return this.fail(expected);
    } finally {
      this.take();
    }
  }

  /** @throws CLASSAD_SYNTAX at the next token */
  fail(expected: string): never {
    const { kind, text, start } = this.#current;
    const found = kind === 'bad' ? text : kind === 'end' ? 'the text ends' : `found \`${text}\``;
    throw syntaxError(
      this.source,
      start,
      kind === 'bad' ? found : `${expected}, but ${found}`,
      this.#quote,
    );
  }

  /**
   * Runs `parse` one level deeper.
   * @throws CLASSAD_LIMIT
   */
  nested<T>(parse: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > this.limits.depth) throw limitError('depth', this.limits);
    try {
      return parse();
    } finally {
      this.#nesting -= 1;
    }
  }

  /**
   * Returns `expr` unless it is nested too deep.
   * @throws CLASSAD_LIMIT
   */
  bounded<E extends Expr>(expr: E): E {
    if (expr.depth > this.limits.evaluationDepth) throw limitError('evaluationDepth', this.limits);
    return expr;
  }
}

/**
 * Creates a `CLASSAD_SYNTAX` error with the fields `line`, `column` (from 1) and `offset`
 * (bytes from 0).
 * @param quote false keeps the text itself out of the message, for files with secrets
 */
export function syntaxError(
  source: string,
  offset: number,
  problem: string,
  quote: boolean,
): CodedError {
  const { line, column } = placeOf(source, offset);
  const shown = quote ? `\n${excerptOf(source, offset)}` : '';
  const message = `ClassAd syntax error in line ${line}, column ${column}: ${problem}${shown}`;
  return new CodedError('CLASSAD_SYNTAX', message, { line, column, offset });
}

// Conversion of an offset to line and column for people.

/** A position in a text; `line` and `column` count from 1, `column` in characters. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** Returns the line and column of byte `offset` in the byte string `source`. */
function placeOf(source: string, offset: number): Place {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    line: before.split('\n').length,
    column: Array.from(textOf(before.slice(lineStart))).length + 1,
  };
}

const SHOWN = 60;

/**
 * Returns the line around `offset` and a caret below it; long lines are shortened around
 * the caret.
 */
function excerptOf(source: string, offset: number): string {
  const start = source.lastIndexOf('\n', offset - 1) + 1;
  const newline = source.indexOf('\n', offset);
  const end = newline < 0 ? source.length : newline;
  const from = Math.max(start, offset - SHOWN);
  const left = (from > start ? '...' : '') + visible(source.slice(from, offset));
  const right = visible(source.slice(offset, Math.min(end, offset + SHOWN)));
  return `${left}${right}\n${' '.repeat(Array.from(left).length)}^`;
}

const visible = (bytes: string): string => textOf(bytes).replace(/[^ -~\u0080-\u{10ffff}]/gu, ' ');
