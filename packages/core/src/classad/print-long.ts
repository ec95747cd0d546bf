// Ads as `Name = value` lines.
import type { AdExpr } from './ast.ts';
import { textOf } from './bytes.ts';
import { expressionBytes, orderedEntries } from './print.ts';

/** How the lines are ordered. */
export interface LongOptions {
  /** `length` (default) as CredD writes key files: by length of the name, then by name; `name`: by name alone. */
  readonly order?: 'length' | 'name';
}

/**
 * The ad as `Name = value` lines, each ended by a newline; strings escape only quotes, so a newline inside a string is
 * written as it is.
 */
export function printLong(ad: AdExpr, options: LongOptions = {}): string {
  const entries = orderedEntries(ad);
  if (options.order === 'name') {
    entries.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  }
  const lines = entries.map(({ name, expr }) => `${name} = ${expressionBytes(expr, { style: 'old' })}\n`);
  return textOf(lines.join(''));
}
