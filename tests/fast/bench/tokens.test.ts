// The generated tokens: none of them is due that is said to be fresh.
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fill, makeDue, tokensOf } from '../../../bench/src/shared/tokens.ts';

const POPULATION = { users: 3, tokens: 7 };
let credentials = '';

beforeEach(() => {
  credentials = mkdtempSync(join(tmpdir(), 'credmon-tokens-'));
});
afterEach(() => {
  rmSync(credentials, { recursive: true });
});

it('each token has three files, and no .top is newer than its .use', () => {
  fill(credentials, POPULATION);
  const tokens = [...tokensOf(credentials, POPULATION)];
  expect(tokens).toHaveLength(7);
  for (const { stem } of tokens) {
    const { issued_at, expires_at } = useOf(stem);
    const changed = (ending: string): number => statSync(`${stem}.${ending}`).mtimeMs / 1000;
    // Files have a clock of their own, which is some milliseconds late.
    expect(changed('use') - changed('top')).toBeGreaterThan(0.5);
    expect(expires_at - issued_at).toBe(86_400);
  }
  expect(readdirSync(join(credentials, 'u0'))).toHaveLength(9);
});

it('a token that was made due has expired', () => {
  fill(credentials, POPULATION);
  const [first] = tokensOf(credentials, POPULATION);
  if (first === undefined) throw new Error('no token');
  makeDue(first.stem);
  expect(useOf(first.stem).expires_at).toBeLessThan(Date.now() / 1000);
});

function useOf(stem: string): { readonly issued_at: number; readonly expires_at: number } {
  return JSON.parse(readFileSync(`${stem}.use`, 'utf8')) as ReturnType<typeof useOf>;
}
