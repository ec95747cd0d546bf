// Checks what the linter cannot see: every source file says in its first line why it
// exists, dist is never imported, no line is very long, and no array is spread into the
// arguments of a call that fails when it is long.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problems = [];
/**
 * Such calls fail with a RangeError for long arrays: use a loop, or `largest` and
 * `smallest` of core/base.
 */
const LARGE_SPREAD =
  /^(?! *(?:\/\/|\*|\/\*)).*(?:\bMath\.(?:max|min|hypot)\(.*\.\.\.|\.(?:push|unshift)\((?:[^(){}]*, ?)?\.\.\.|\bString\.from(?:CharCode|CodePoint)\(\.\.\.|\.splice\([^)]*\.\.\.)/;

/** Characters; the formatter leaves long texts and expressions as they are. */
const LONGEST_LINE = 120;

function visit(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name === 'node_modules' || entry.name === 'dist') continue;
    if (entry.isDirectory()) visit(path);
    else if (entry.name.endsWith('.ts')) check(path);
  }
}

function check(path) {
  const text = readFileSync(path, 'utf8');
  const name = relative(root, path);
  if (!/^(\/\/ \S|\/\*\*? \S|\/\*\*$)/m.test(text.split('\n', 1)[0]))
    problems.push(`${name}:1: the first line must say in a comment why the file exists`);
  for (const [index, line] of text.split('\n').entries()) {
    if (name.startsWith('packages/') && name.includes('/src/') && LARGE_SPREAD.test(line))
      problems.push(
        `${name}:${index + 1}: spreads an array into arguments, which fails above about 125,000`,
      );
    if (name.startsWith('packages/') && name.includes('/src/') && line.length > LONGEST_LINE)
      problems.push(`${name}:${index + 1}: has more than ${LONGEST_LINE} characters`);
    if (/from '.*\/dist\//.test(line)) problems.push(`${name}:${index + 1}: imports from dist`);
  }
}

for (const folder of ['packages', 'test-fixtures', 'tests', 'bench']) visit(join(root, folder));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
