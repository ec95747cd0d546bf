// Checks what the linter cannot see: every source file says in its first line why it exists, and dist is never imported.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const problems = [];

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
    if (/from '.*\/dist\//.test(line)) problems.push(`${name}:${index + 1}: imports from dist`);
  }
}

for (const folder of ['packages', 'test-fixtures', 'tests', 'bench']) visit(join(root, folder));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
