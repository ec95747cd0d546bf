// The TypeScript examples of docs/scitokens.md run and print the output on the page.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';

const page = readFileSync(
  fileURLToPath(new URL('../../../docs/scitokens.md', import.meta.url)),
  'utf8',
);
const examples = [...page.matchAll(/^```ts run\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '');

/** Imports become arguments, so that the example runs in this process. */
async function runExample(code: string): Promise<string[]> {
  const modules = new Map<string, unknown>();
  for (const [, name = ''] of code.matchAll(/from '([^']+)'/g))
    modules.set(name, await import(/* @vite-ignore */ name));
  const bound = code.replaceAll(
    /^import (\{[^}]+\}) from '([^']+)';$/gm,
    "const $1 = modules.get('$2');",
  );
  const { code: plain } = await transform(`async function example() {${bound}}`, { loader: 'ts' });
  const printed: string[] = [];
  const log = (value: unknown): unknown =>
    printed.push(typeof value === 'string' ? value : JSON.stringify(value));
  const start = compileFunction(`${plain}; return example();`, ['modules', 'console']) as (
    ...values: unknown[]
  ) => Promise<void>;
  await start(modules, { log });
  return printed;
}

describe('the examples of docs/scitokens.md', () => {
  it('exist', () => {
    expect(examples.length).toBeGreaterThanOrEqual(3);
  });

  it.each(examples.map((code, index) => [index + 1, code] as const))(
    'number %d prints the documented output',
    async (_n, code) => {
      const promised = [...code.matchAll(/^\/\/ prints (.*)$/gm)].map(([, text]) => text);
      expect(promised.length).toBeGreaterThan(0);
      expect(await runExample(code)).toEqual(promised);
    },
  );
});
