// Every provider's life and every way to steer its secrets has a test: the table says
// which, and the tests of that name are there.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/**
 * `case` is one of `life` or `attacks`; `title` is in `file` as it does in the
 * source, place holders and all.
 */
interface Matrix {
  readonly providers: readonly string[];
  readonly life: readonly string[];
  readonly attacks: readonly string[];
  readonly tests: readonly {
    readonly provider: string;
    readonly case: string;
    readonly file: string;
    readonly title: string;
  }[];
}

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { providers, life, attacks, tests } = JSON.parse(
  readFileSync(at('test-fixtures/data/provider-matrix.json'), 'utf8'),
) as Matrix;
const cell = (provider: string, name: string): string => `${provider}: ${name}`;

it('R26 every provider has a test for issue, renew, refuse, revoke, outage, bad answer, rollover and each attack', () => {
  const wanted = providers.flatMap((provider) =>
    [...life, ...attacks].map((name) => cell(provider, name)),
  );
  expect([...new Set(tests.map((test) => cell(test.provider, test.case)))].sort()).toEqual(
    wanted.sort(),
  );
});

it('every test that the table names is there', () => {
  const texts = new Map<string, string>();
  const missing = tests.filter(({ file, title }) => {
    const text = texts.get(file) ?? readFileSync(at(file), 'utf8');
    texts.set(file, text);
    return !hasTest(text, title);
  });
  expect(missing).toEqual([]);
});

it('a comment, or a test that is skipped, is not a test', () => {
  expect(
    ['// a b', "it.skip('a b', f)", "it('a b c', f)", "  it('a b', f)", '(x)(\n  "a b",'].map(
      (text) => hasTest(text, 'a b'),
    ),
  ).toEqual([false, false, false, true, true]);
});

/** The title as the first argument of `it(...)`, or of what `it.each(...)` gives. */
function hasTest(text: string, title: string): boolean {
  const exactly = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(\bit|\))\(\s*(['"\`])${exactly}\2\s*,`).test(text);
}
