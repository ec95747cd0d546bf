// How a text that is not a ClassAd is reported: place, what was expected, and the line
// with a caret.
import { CodedError } from '../../base/errors/errors.ts';
import { excerptOf, placeOf } from './source.ts';

/**
 * A `CLASSAD_SYNTAX` error with the fields `line`, `column` (from 1) and `offset` (bytes
 * from 0).
 * @param quote false leaves the text itself out of the message, for files that hold
 * secrets
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
