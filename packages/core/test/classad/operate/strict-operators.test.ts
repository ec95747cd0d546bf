// Operators on numbers, times and lists: what HTCondor 25.14 returns in the odd cases.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';

test.each([
  ['minus infinity is no error as a product', '-3e200 * 4e200', 'real("-INF")'],
  ['minus infinity is no error as a difference', 'real("-INF") - 4', 'real("-INF")'],
  ['infinity is an error', '3e200 * 4e200', 'error'],
  ['a real divided by the integer zero', '-2.5 / 0', 'real("-INF")'],
  ['the least integer divided by -1', '(-9223372036854775807 - 1) / -1', '9223372036854775807'],
  ['the least integer modulo -1', '(-9223372036854775807 - 1) % -1', '0'],
  ['a negative number shifted by all its bits', '-5 >> 64', '-1'],
  ['a negative number shifted by a negative one', '-5 >> -1', '-5'],
  ['a negative number shifted unsigned by nothing', '-5 >>> 0', '0'],
  ['a positive number shifted by all its bits', '5 >> 64', '5'],
  ['a list is compared with one that a function made', '{ 1 } =?= split("x")', 'false'],
  ['two lists that functions made', 'split("x") =?= split("x")', 'error'],
  ['two written lists', '{ 1 } =!= { 1 }', 'error'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
