// Words that administrators do not search for are not used in sources, pages and configuration files.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What not to write, and what to write instead. */
const RETIRED: readonly (readonly [RegExp, string])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, 'fix, correct'],
  [/\b(?:un)?heed(?:s|ed|ing)?\b/i, 'use, follow; ignored'],
  [/\banew\b/i, 'again'],
  [/\bto the letter\b/i, 'exactly'],
  [/\bis told of\b/i, 'is reported'],
  [/\bby hand of\b/i, 'by'],
  [/\bstays as it was\b/i, 'is unchanged'],
  [/\bstands in\b/i, 'is in'],
  [/\blies in\b/i, 'is in'],
  [/\bgoes on\b/i, 'continues'],
  [/\bnobody renews\b/i, 'is not renewed'],
  [/\bnobody answers for\b/i, 'not found'],
  [/\bbrought back\b/i, 'returned'],
  [/\bis no such answer\b/i, 'invalid ... response'],
  [/\bdid not end well\b/i, 'error while ...'],
];

const files = execFileSync('git', ['ls-files', 'packages/*/src/*', 'docs/*', 'configs/*', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => /\.(?:ts|json|md|eta|conf|service|socket|yml|yaml|xml)$/.test(path));

it.each(RETIRED)('%s: write "%s"', (word) => {
  const found = files.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, index) => (word.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});

it('the files are there', () => {
  expect(files.length).toBeGreaterThan(400);
});
