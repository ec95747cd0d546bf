// Every fault that was tried and held has a test that keeps it so, or a reason why no
// test can: the table says which.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** `title` is in `file` as it does in the source, place holders and all. */
interface HeldRows {
  readonly rows: readonly {
    readonly section: string;
    readonly row: string;
    readonly tests?: readonly { readonly file: string; readonly title: string }[];
    readonly reason?: string;
  }[];
}

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { rows } = JSON.parse(
  readFileSync(at('test-fixtures/data/held-rows.json'), 'utf8'),
) as HeldRows;

it('every row has its tests, or the reason why there can be none', () => {
  const neither = rows.filter(
    ({ tests = [], reason = '' }) => tests.length > 0 === /^[A-Z].{20,}\.$/.test(reason),
  );
  expect(neither).toEqual([]);
  const names = rows.map(({ section, row }) => `${section}: ${row}`);
  expect(names).toEqual([...new Set(names)]);
});

it('every test that the table names is there and is not skipped', () => {
  const missing = rows.flatMap(({ tests = [] }) =>
    tests.filter(
      ({ file, title }) => !existsSync(at(file)) || !hasTest(readFileSync(at(file), 'utf8'), title),
    ),
  );
  expect(missing).toEqual([]);
});

it('a comment, or a test that is skipped, is not a test', () => {
  expect(
    [
      '// a b',
      "it.skip('a b', f)",
      "it.todo('a b')",
      "it('a b c', f)",
      "  it('a b', f)",
      '(x)(\n  "a b",',
    ].map((text) => hasTest(text, 'a b')),
  ).toEqual([false, false, false, false, true, true]);
});

/**
 * The title as the first argument of `it(...)`, or of what `it.each(...)` or
 * `it.skipIf(...)` gives.
 */
function hasTest(text: string, title: string): boolean {
  const exactly = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(\bit|\))\(\s*(['"\`])${exactly}\2\s*,`).test(text);
}
