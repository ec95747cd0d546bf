// The benchmarks import modules of the packages that exist, and are built: nothing else
// runs them in every change. Those in TypeScript are checked with the tests.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bench = join(root, 'bench');

it('scripts import modules that exist', () => {
  const missing = readdirSync(bench)
    .filter((name) => name.endsWith('.mjs'))
    .flatMap((name) => {
      const text = readFileSync(join(bench, name), 'utf8');
      const modules = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path = '']) =>
        join(bench, path),
      );
      return modules.map((path) => path.replace('/dist/', '/src/').replace(/\.js$/, '.ts'));
    })
    .filter((path) => !existsSync(path));
  expect(missing).toEqual([]);
});

it.each(['run', 'child', 'library'])('bench/src/%s.ts is bundled', (name) => {
  expect(existsSync(join(bench, `src/${name}.ts`))).toBe(true);
  expect(readFileSync(join(root, 'scripts/bundle.mjs'), 'utf8')).toMatch(
    new RegExp(`\\[(?:'\\w+', )*'${name}'(?:, '\\w+')*\\]`),
  );
});

it('no benchmark imports a module inside a package', () => {
  const sources = readdirSync(join(bench, 'src'), { recursive: true, encoding: 'utf8' });
  const inner = sources
    .filter((name) => name.endsWith('.ts'))
    .filter((name) =>
      /from '(?:\.\.\/)+packages\//.test(readFileSync(join(bench, 'src', name), 'utf8')),
    );
  expect(inner).toEqual([]);
});
