// Findings as text: what was looked at as a heading, below it how it is, in lines of at
// most 80 columns where words allow.
import type { Finding } from './finding.ts';

const WIDTH = 80;
const LABELS = { ok: 'ok', warning: 'WARNING', error: 'ERROR' } as const;
const INDENT = 11;

/** The text of findings, in their order, and a last line that counts what is not well. */
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
  // A command stays on one line, so that it can be copied.
  const [, sentence = text, remedy] = /^(.*?); (fix: .*)$/s.exec(text) ?? [];
  // Further lines show a place in a text, with a caret below it.
  const [told = '', ...shown] = sentence.split('\n');
  const [first = '', ...rest] = [...wrap(told, WIDTH - INDENT), ...shown];
  if (remedy !== undefined) rest.push(remedy);
  const blank = ' '.repeat(INDENT);
  return [`  ${label}`.padEnd(INDENT) + first, ...rest.map((line) => blank + line)];
}

/** Words in lines; a word that is longer than `width`, such as a path, stays whole. */
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

/** What is wrong stands far above by now. */
function summary(findings: readonly Finding[]): string {
  const of = (wanted: Finding['state']): readonly Finding[] =>
    findings.filter(({ state }) => state === wanted);
  const errors = of('error');
  const parts = [counted(errors.length, 'error'), counted(of('warning').length, 'warning')].filter(
    Boolean,
  );
  if (parts.length === 0) return 'Nothing is wrong.';
  const where = [...new Set(errors.map(({ what }) => what))].join(', ');
  const text =
    errors.length === 0 ? `${parts.join(', ')}.` : `${parts.join(', ')}. Errors in: ${where}.`;
  return wrap(text, WIDTH).join('\n');
}

/** `3 tokens`, `1 token`; nothing for none. */
export function counted(count: number, noun: string): string {
  return count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;
}
