// The benchmarks import modules of the packages that exist: nothing else runs them in every change.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bench = fileURLToPath(new URL('../../bench', import.meta.url));

it.each(readdirSync(bench).filter((name) => name.endsWith('.mjs')))('%s', (name) => {
  const text = readFileSync(join(bench, name), 'utf8');
  const modules = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path = '']) => join(bench, path));
  const sources = modules.map((path) => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'));
  expect(sources.filter((path) => !existsSync(path))).toEqual([]);
});
