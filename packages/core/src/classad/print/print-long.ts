// Ads as `Name = value` lines.
import type { AdExpr } from '../language/ast.ts';
import { lowerAscii, textOf } from '../language/bytes.ts';
import { nameText } from './print-name.ts';
import { expressionBytes, orderedEntries } from './print.ts';

/** How the lines are ordered. */
export interface LongOptions {
  /**
   * `length` (default) as CredD writes key files: by length of the name, then by name;
   * `name`: by name alone.
   */
  readonly order?: 'length' | 'name';
  /**
   * `daemon` (default): every name as it is. `python`: as `printOld()` does it, odd names
   * quoted and an empty ad one empty line.
   */
  readonly like?: 'daemon' | 'python';
}

/**
 * The ad as `Name = value` lines, each ended by a newline; strings escape only quotes, so
 * a newline inside a string is written as it is.
 */
export function printLong(ad: AdExpr, options: LongOptions = {}): string {
  const entries = orderedEntries(ad);
  if (options.order === 'name') {
    entries.sort((a, b) => (lowerAscii(a.name) < lowerAscii(b.name) ? -1 : 1));
  }
  const python = options.like === 'python';
  if (python && entries.length === 0) return '\n';
  const shown = python ? nameText : (name: string): string => name;
  const lines = entries.map(
    ({ name, expr }) => `${shown(name)} = ${expressionBytes(expr, { style: 'old' })}\n`,
  );
  return textOf(lines.join(''));
}
