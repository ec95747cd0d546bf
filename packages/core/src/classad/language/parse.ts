// The entry points of parsing: a whole expression, a whole ad, an ad at the start of a
// text.
import { bytesOf, textOf } from './bytes.ts';
import type { AdExpr, Expr } from './ast.ts';
import { DEFAULT_LIMITS } from '../../regexp/limits.ts';
import type { Limits } from '../../regexp/limits.ts';
import { parseTree } from './parse-expression.ts';
import { parseAdTree } from './parse-expression.ts';
import type { LexerSyntax } from './lexer.ts';
import { Tokens } from './tokens.ts';

/** Options of parsing. */
export interface ParseOptions {
  /** Default `new`; `old` for `Name = value` lines and configuration values. */
  readonly lexer?: LexerSyntax;
  /**
   * Default `old`, as in every HTCondor daemon: numbers with a leading zero are rejected.
   */
  readonly semantics?: Semantics;
  readonly limits?: Partial<Limits>;
  /**
   * True: text after a complete expression is ignored, like HTCondor does for `Name =
   * value` lines and boolean knobs.
   */
  readonly prefix?: boolean;
  /**
   * True: text after a conditional at the top is ignored, like HTCondor's library does for
   * `eval()` and numeric knobs. Python's `ExprTree` rejects it.
   */
  readonly textAfterConditional?: boolean;
  /** False keeps the text out of error messages, for files with secrets. */
  readonly quote?: boolean;
}

/**
 * `old` is the behaviour of HTCondor's daemons; `new` is that of the bare ClassAd library
 * (`STRICT_CLASSAD_EVALUATION`).
 */
export type Semantics = 'old' | 'new';

/** Returns the token stream of `bytes` from `at`. */
export function tokensOf(bytes: string, at: number, options: ParseOptions): Tokens {
  const lexer = {
    syntax: options.lexer ?? 'new',
    leadingZeros: options.semantics === 'new',
  } as const;
  return new Tokens(
    bytes,
    at,
    lexer,
    { ...DEFAULT_LIMITS, ...options.limits },
    options.quote ?? true,
  );
}

/**
 * Parses `text`, which must be one expression and, without `prefix`, nothing else.
 * @throws CLASSAD_SYNTAX with line, column and caret; CLASSAD_LIMIT
 * @see https://htcondor.readthedocs.io/en/latest/classads/classad-mechanism.html
 */
export function parseExpression(text: string, options: ParseOptions = {}): Expr {
  return parseBytes(bytesOf(text), options);
}

/** {@link parseExpression} of a byte string. */
export function parseBytes(bytes: string, options: ParseOptions = {}): Expr {
  const tokens = tokensOf(bytes, 0, options);
  const expr = parseTree(tokens);
  const conditional = expr.kind === 'conditional' && expr.yes !== undefined;
  const prefix = options.prefix === true || (options.textAfterConditional === true && conditional);
  if (!prefix && tokens.peek.kind !== 'end') tokens.fail('an operator or the end expected');
  return expr;
}

/**
 * Parses `text`, which must be one ad in new syntax and nothing else.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parseAd(text: string, options: ParseOptions = {}): AdExpr {
  const tokens = tokensOf(bytesOf(text), 0, options);
  const ad = parseAdTree(tokens, parseTree);
  if (tokens.peek.kind !== 'end') tokens.fail('the end expected');
  return ad;
}

/**
 * Parses the ad in new syntax at the start of `text`; `rest` is the text after it.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parseAdPrefix(
  text: string,
  options: ParseOptions = {},
): { ad: AdExpr; rest: string } {
  const bytes = bytesOf(text);
  const tokens = tokensOf(bytes, 0, options);
  const ad = parseAdTree(tokens, parseTree);
  return { ad, rest: textOf(bytes.slice(tokens.taken)) };
}
