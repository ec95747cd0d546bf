// Joins physical lines to logical lines: blanks, continuations, and HTCondor's rules for
// comments inside them.
import { trim } from '../macros/text.ts';

/** A statement's text and the number of its last physical line, from 1. */
export interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

/** Returns one logical line after the other. */
export interface LineReader {
  next(): LogicalLine | undefined;
  /**
   * `true`: a comment may be continued, and is not recognised inside a continuation
   * (`#opt:oldcomment`).
   */
  setOldComments(old: boolean): void;
}

/**
 * Reads logical lines:
 *
 *     logical  := { physical '\' newline } physical
 *     physical := text without blanks at both ends; the last line of a file without
 * newline is unchanged
 *
 * What is tested for the `\` is the joined text, so a line without text continues a text
 * that ended in two of them. A comment is not continued. Inside a continuation a comment
 * line that ends in `\` is omitted; otherwise it ends the statement and leaves its last
 * character, like in HTCondor. A NUL hides the rest of its line.
 */
export function createLineReader(text: string): LineReader {
  let position = 0;
  let line = 0;
  let oldComments = false;
  const next = (): LogicalLine | undefined => {
    // The pieces of the logical line so far, none empty: joined once, at its end.
    const logical: string[] = [];
    let pending = '';
    while (position < text.length) {
      const newline = text.indexOf('\n', position);
      const physical = text.slice(position, newline < 0 ? text.length : newline);
      position = newline < 0 ? text.length : newline + 1;
      line += 1;
      const nul = physical.indexOf('\0');
      pending += nul < 0 ? physical : physical.slice(0, nul);
      if (nul >= 0) continue;
      if (newline < 0) break;
      const isFirst = logical.length === 0;
      const piece = keptPart(trim(pending), !isFirst && !oldComments);
      pending = '';
      const startsComment = isFirst && !oldComments && piece.startsWith('#');
      if (piece !== '') logical.push(piece);
      const last = logical.pop() ?? '';
      if (!last.endsWith('\\') || startsComment) {
        logical.push(last);
        return { text: logical.join(''), line };
      }
      if (last.length > 1) logical.push(last.slice(0, -1));
    }
    const rest = logical.join('') + pending;
    return rest === '' ? undefined : { text: rest, line };
  };
  return { next, setOldComments: (old) => void (oldComments = old) };
}

function keptPart(piece: string, commentsVanish: boolean): string {
  return commentsVanish && piece.startsWith('#') ? piece.slice(-1) : piece;
}
