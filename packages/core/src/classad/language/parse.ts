// The entry points of parsing: a whole expression, a whole ad, an ad at the start of a
// text, `Name = value` lines; and texts with several ads, as read by HTCondor's Python
// module: all, the first, or all merged into one.
import { isCoded } from '../../base/errors/errors.ts';
import { DEFAULT_LIMITS, type Limits, limitError } from '../../regexp/node.ts';
import { type AdExpr, type Entry, type Expr, makeAd } from './ast.ts';
import { bytesOf, textOf, trimBlanks } from './value.ts';
import { type LexerSyntax, readToken, skipWhite } from './lexer.ts';
import { parseAdTree, parseTree } from './parse-expression.ts';
import { Tokens, syntaxError } from './tokens.ts';

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

/** Options for reading ads. */
export interface ReadAdsOptions extends LongParseOptions {
  /**
   * `lines`: `Name = value`; `new`: `[ ... ]`; `auto` (default): for each ad, `new` if it
   * starts with `[` or `/`.
   */
  readonly form?: 'auto' | 'lines' | 'new';
}

/**
 * Yields the ads in `text`. Lines: blank lines separate ads, and an invalid line hides
 * all that follows it without an error, like in the reference. Text after a NUL is not
 * read.
 * @throws CLASSAD_SYNTAX after the ads before it, for an invalid ad in new syntax, and
 * for a block of only comments before another ad; CLASSAD_LIMIT
 */
export function* readAds(
  text: string,
  options: ReadAdsOptions = {},
): Generator<AdExpr, void, undefined> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const bytes = bytesOf(text);
  if (bytes.length > limits.textLength) throw limitError('textLength', limits);
  const nul = bytes.indexOf('\0');
  const source = nul < 0 ? bytes : bytes.slice(0, nul);
  for (let at = skipWhite(source, 0); at < source.length; at = skipWhite(source, at)) {
    const read = isNew(source, at, options)
      ? readNewAd(source, at, options)
      : readLines(source, at, options);
    if (read === undefined) return;
    yield read.ad;
    at = read.end;
  }
}

/**
 * Returns the first ad in `text`; undefined if there is none.
 * @throws as {@link readAds}
 */
export function readFirstAd(text: string, options: ReadAdsOptions = {}): AdExpr | undefined {
  const [first] = readAds(text, options);
  return first;
}

/**
 * Merges all ads in `text` into one; of attributes of one name the last is kept.
 * @throws as {@link readAds}
 */
export function readMergedAd(text: string, options: ReadAdsOptions = {}): AdExpr {
  const entries: Entry[] = [];
  for (const ad of readAds(text, options))
    for (const entry of ad.entries.values()) entries.push(entry);
  return makeAd(entries);
}

interface AdRead {
  readonly ad: AdExpr;
  readonly end: number;
}

function isNew(source: string, at: number, { form = 'auto' }: ReadAdsOptions): boolean {
  return form === 'new' || (form === 'auto' && (source[at] === '[' || source[at] === '/'));
}

function readLines(source: string, at: number, options: ReadAdsOptions): AdRead | undefined {
  const read = readLongAd(source, at, options);
  if (read.ad.entries.size > 0) return read;
  if (read.end >= source.length) return undefined;
  throw syntaxError(source, at, 'a block without attributes', options.quote ?? true);
}

/** Skips a brace before the ad, for lists of ads. An incomplete text is not an error. */
function readNewAd(source: string, at: number, options: ReadAdsOptions): AdRead | undefined {
  const tokens = tokensOf(source, source[at] === '{' ? at + 1 : at, { ...options, lexer: 'new' });
  try {
    const ad = parseAdTree(tokens, parseTree);
    return { ad, end: tokens.taken };
  } catch (error) {
    if (isCoded(error, 'CLASSAD_SYNTAX') && endsEarly(source, Number(error.fields['offset'])))
      return undefined;
    throw error;
  }
}

/**
 * True if the token at `offset` is the last one, except for the one byte that the
 * reference's lexer reads ahead.
 */
function endsEarly(source: string, offset: number): boolean {
  const { kind, end } = readToken(source, offset, undefined, { syntax: 'new', leadingZeros: true });
  return kind === 'bad' ? '"\'/'.includes(source[offset] ?? '') : end + 1 >= source.length;
}

/** Options for lines; the lexer is always the old one. */
export type LongParseOptions = Omit<ParseOptions, 'lexer' | 'prefix'>;

const LEADING = /^[ \t\n\v\f\r]+/;

/**
 * Parses one `Name = value` line. The name is the text before the first `=`; text after a
 * complete expression is ignored, like in HTCondor.
 * @throws CLASSAD_SYNTAX, CLASSAD_LIMIT
 */
export function parseLongLine(line: string, options: LongParseOptions = {}): Entry {
  return lineEntry(bytesOf(line), options);
}

function lineEntry(line: string, options: LongParseOptions): Entry {
  const equals = line.indexOf('=');
  const name = trimBlanks(line.slice(0, Math.max(equals, 0)));
  if (name === '') throw syntaxError(line, 0, '`Name = value` expected', options.quote ?? true);
  // The name is replaced by blanks, so that the position of an error is that in the whole
  // line.
  const value = ' '.repeat(equals + 1) + line.slice(equals + 1);
  return { name, expr: parseBytes(value, { ...options, lexer: 'old', prefix: true }) };
}

/** An ad, the offset after it, and whether an invalid line ended it. */
interface LongAdRead {
  readonly ad: AdExpr;
  readonly end: number;
}

/**
 * Reads lines of the byte string `source` from `at` to a blank line. Skips lines that
 * start with `#`. An invalid line ends the ad and hides everything after it.
 * @throws CLASSAD_LIMIT
 */
function readLongAd(source: string, at: number, options: LongParseOptions): LongAdRead {
  const entries: Entry[] = [];
  let from = at;
  while (from < source.length) {
    const newline = source.indexOf('\n', from);
    const end = newline < 0 ? source.length : newline;
    const line = source.slice(from, end).replace(LEADING, '');
    from = Math.min(end + 1, source.length);
    if (line === '') break;
    if (line.startsWith('#')) continue;
    const entry = readableEntry(line, options);
    if (entry === undefined) return { ad: makeAd(entries), end: source.length };
    entries.push(entry);
  }
  return { ad: makeAd(entries), end: from };
}

function readableEntry(line: string, options: LongParseOptions): Entry | undefined {
  try {
    return lineEntry(line, options);
  } catch (error) {
    if (isCoded(error) && error.code === 'CLASSAD_SYNTAX') return undefined;
    throw error;
  }
}
