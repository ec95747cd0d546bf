// The subpaths of @credmon/core: each folder has one, and the names that the CHANGELOG promises are there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const core = join(root, 'packages/core');
const { exports } = JSON.parse(readFileSync(join(core, 'package.json'), 'utf8')) as {
  exports: Record<string, Record<string, string>>;
};

/** The names that an index exports, values and types. */
function namesIn(folder: string): readonly string[] {
  const text = readFileSync(join(core, 'src', folder, 'index.ts'), 'utf8');
  return [...text.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names.split(',').map((name) => name.replace('type ', '').trim()),
  );
}

it('every folder with an index is a subpath', () => {
  const folders = readdirSync(join(core, 'src')).filter((name) =>
    existsSync(join(core, 'src', name, 'index.ts')),
  );
  expect(Object.keys(exports).sort()).toEqual(['.', ...folders.map((name) => `./${name}`)].sort());
  for (const [subpath, { types }] of Object.entries(exports))
    expect(types).toBe(`./dist/${subpath === '.' ? '' : `${subpath.slice(2)}/`}index.d.ts`);
});

const page = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const rows = [...page.matchAll(/^\| `@credmon\/core\/(\w+)` +\| (.+?) *\|$/gm)];

it.each(rows.map(([, folder = '', names = '']) => [folder, names] as const))(
  'the names that moved to %s are there',
  (folder, names) => {
    const there = namesIn(folder);
    expect(names.split(', ').filter((name) => !there.includes(name.replaceAll('\\', '')))).toEqual(
      [],
    );
  },
);

it('names of seven folders moved', () => {
  expect(rows).toHaveLength(7);
});
