// How findings and tables are printed in a terminal.
import { largest } from '../values/numbers.ts';
import { pluralise, wrap } from './printable.ts';
import { styleText } from 'node:util';

/** One finding: the subject, its state, and a sentence without a full stop. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

/** A finding that is as it should be. */
export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
/** Unusual, or soon wrong; work continues all the same. */
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
/** Keeps tokens from being renewed, or users from signing in. */
export const wrong = (what: string, text: string): Finding => ({ what, state: 'error', text });

/** True if a finding is an error. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}

const WIDTH = 80;
const LABELS = { ok: 'ok', warning: 'WARNING', error: 'ERROR' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', error: 'red' } as const;
const INDENT = 11;

/**
 * Returns the text of findings in their order: each subject as a heading, below it its
 * findings in lines of at most 80 columns where words allow, and a last line that counts
 * warnings and errors. `colour` adds terminal colours to the labels.
 */
export function findingsText(findings: readonly Finding[], colour = false): string {
  const blocks: string[][] = [];
  let last: string | undefined;
  for (const { what, state, text } of findings) {
    if (what !== last) blocks.push([what]);
    last = what;
    for (const line of item(state, text, colour)) blocks.at(-1)?.push(line);
  }
  return [...blocks.map((lines) => lines.join('\n')), summary(findings)].join('\n\n');
}

function item(state: Finding['state'], text: string, colour: boolean): string[] {
  // A command stays on one line, so that it can be copied.
  const [, sentence = text, remedy] = /^(.*?); (fix: .*)$/s.exec(text) ?? [];
  // Further lines show a place in a text, with a caret below it.
  const [words = '', ...shown] = sentence.split('\n');
  const [first = '', ...rest] = [...wrap(words, WIDTH - INDENT), ...shown];
  if (remedy !== undefined) rest.push(remedy);
  const label = LABELS[state];
  const blanks = ' '.repeat(Math.max(0, INDENT - 2 - label.length));
  const styled = colour ? styleText(COLOURS[state], label, { validateStream: false }) : label;
  return [`  ${styled}${blanks}${first}`, ...rest.map((line) => ' '.repeat(INDENT) + line)];
}

/** The errors may be far above by now. */
function summary(findings: readonly Finding[]): string {
  const of = (wanted: Finding['state']): readonly Finding[] =>
    findings.filter(({ state }) => state === wanted);
  const errors = of('error');
  const parts = [pluralise(errors.length, 'error'), pluralise(of('warning').length, 'warning')];
  const text = parts.filter((part) => part !== '').join(', ');
  if (text === '') return 'Nothing is wrong.';
  const where = [...new Set(errors.map(({ what }) => what))].join(', ');
  return wrap(errors.length === 0 ? `${text}.` : `${text}. Errors in: ${where}.`, WIDTH).join('\n');
}

/**
 * True if labels get colours: the output is a terminal that can show them, and NO_COLOR
 * is not set.
 * @see https://no-color.org
 */
export function wantsColour(
  isTerminal: boolean,
  { NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTerminal && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
}

/**
 * How a table is printed. With `width`, the columns of a terminal, the cells of the
 * columns in `narrow` are cut with `~` until a line fits, each to no less than
 * `shortest` characters.
 */
export interface TableOptions {
  readonly width?: number | undefined;
  readonly narrow?: readonly number[] | undefined;
  readonly shortest?: number | undefined;
}

/**
 * Returns the rows in columns, two blanks apart, without blanks at line ends. Without
 * `width` nothing is cut, so that programs can read it.
 */
export function tableText(
  rows: readonly (readonly string[])[],
  { width, narrow = [], shortest = 8 }: TableOptions = {},
): string {
  const columns = largest(rows.map((row) => row.length));
  const widths = Array.from({ length: Math.max(0, columns) }, (_, column) =>
    largest(rows.map((row) => row[column]?.length ?? 0)),
  );
  if (width !== undefined) narrowColumns(widths, width, narrow, shortest);
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0),
      );
      return cut(cells.join('  ').trimEnd(), width ?? Number.POSITIVE_INFINITY);
    })
    .join('\n');
}

/**
 * Takes characters from the widest narrow column until the line fits, or until there is
 * nothing more to take.
 */
function narrowColumns(
  widths: number[],
  width: number,
  narrow: readonly number[],
  shortest: number,
): void {
  const gaps = 2 * (widths.length - 1);
  let excess = widths.reduce((sum, each) => sum + each, gaps) - width;
  for (; excess > 0; excess -= 1) {
    const [first = 0] = narrow;
    const widest = narrow.reduce(
      (best, column) => ((widths[column] ?? 0) > (widths[best] ?? 0) ? column : best),
      first,
    );
    if (narrow.length === 0 || (widths[widest] ?? 0) <= shortest) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}~`;
}
