// `Name = value` lines: one line, or the ad that starts at an offset of a text.
import { makeAd } from './ast.ts';
import type { AdExpr, Entry } from './ast.ts';
import { isCoded } from '../../base/errors/errors.ts';
import { bytesOf, trimBlanks } from './bytes.ts';
import { parseBytes } from './parse.ts';
import type { ParseOptions } from './parse.ts';
import { syntaxError } from './syntax-error.ts';

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
export interface LongAdRead {
  readonly ad: AdExpr;
  readonly end: number;
}

/**
 * Reads lines of the byte string `source` from `at` to a blank line. Skips lines that
 * start with `#`. An invalid line ends the ad and hides everything after it.
 * @throws CLASSAD_LIMIT
 */
export function readLongAd(source: string, at: number, options: LongParseOptions): LongAdRead {
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
