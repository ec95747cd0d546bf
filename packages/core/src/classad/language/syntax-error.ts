// The error for an invalid ClassAd: position, expectation, and the line with a caret.
import { CodedError } from '../../base/errors/errors.ts';
import { textOf } from './bytes.ts';

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
