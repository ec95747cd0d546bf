// Texts with several ads, as read by HTCondor's Python module: all, the first, or all
// merged into one.
import { isCoded } from '../../base/errors/errors.ts';
import { makeAd } from './ast.ts';
import type { AdExpr, Entry } from './ast.ts';
import { bytesOf } from './bytes.ts';
import { readToken, skipWhite } from './lexer.ts';
import { DEFAULT_LIMITS, limitError } from '../../regexp/limits.ts';
import { readLongAd } from './parse-long.ts';
import type { LongParseOptions } from './parse-long.ts';
import { tokensOf } from './parse.ts';
import { parseTree } from './parse-expression.ts';
import { parseAdTree } from './parse-primary.ts';
import { syntaxError } from './syntax-error.ts';

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
