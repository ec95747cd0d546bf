// Expressions in knobs: where their text may continue after them.
import { expect, test } from 'vitest';
import { evaluateExpression } from '../../../src/config/macros/expressions.ts';

test.each([
  ['text after a conditional is ignored', '6 > 2 ? 30 : 40 seconds', 30n],
  ['text after another expression is an error', '6 * 5 seconds', undefined],
])('%s', (_title, text, expected) => {
  const value = evaluateExpression(text);
  expect(value?.kind === 'integer' ? value.value : undefined).toBe(expected);
});
