// Prints findings as text: the subject as a heading, the findings below it, in lines of
// at most 80 columns where possible.
import type { Finding } from './finding.ts';

const WIDTH = 80;
const LABELS = { ok: 'ok', warning: 'WARNING', error: 'ERROR' } as const;
const INDENT = 11;

/** Returns the text of the findings in order, with a last line that counts problems. */
export function findingsText(findings: readonly Finding[]): string {
  const blocks: string[][] = [];
  let last: string | undefined;
  for (const { what, state, text } of findings) {
    if (what !== last) blocks.push([what]);
    last = what;
    for (const line of item(LABELS[state], text)) blocks.at(-1)?.push(line);
  }
  return [...blocks.map((lines) => lines.join('\n')), summary(findings)].join('\n\n');
}

function item(label: string, text: string): string[] {
  // A command is kept on one line so that it can be copied.
  const [, sentence = text, remedy] = /^(.*?); (fix: .*)$/s.exec(text) ?? [];
  // Further lines quote the configuration, with a caret below.
  const [message = '', ...quoted] = sentence.split('\n');
  const [first = '', ...rest] = [...wrap(message, WIDTH - INDENT), ...quoted];
  if (remedy !== undefined) rest.push(remedy);
  const blank = ' '.repeat(INDENT);
  return [`  ${label}`.padEnd(INDENT) + first, ...rest.map((line) => blank + line)];
}

/** Wraps words into lines; a word longer than `width`, such as a path, is not broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The summary repeats where errors are, since they may have scrolled away. */
function summary(findings: readonly Finding[]): string {
  const of = (wanted: Finding['state']): readonly Finding[] =>
    findings.filter(({ state }) => state === wanted);
  const errors = of('error');
  const parts = [
    pluralise(errors.length, 'error'),
    pluralise(of('warning').length, 'warning'),
  ].filter(Boolean);
  if (parts.length === 0) return 'Nothing is wrong.';
  const where = [...new Set(errors.map(({ what }) => what))].join(', ');
  const text =
    errors.length === 0 ? `${parts.join(', ')}.` : `${parts.join(', ')}. Errors in: ${where}.`;
  return wrap(text, WIDTH).join('\n');
}

/** Returns `3 tokens`, `1 token`, or an empty text for 0. */
export function pluralise(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}
