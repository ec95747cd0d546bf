// The maximum and minimum of many numbers.
import { expect, it } from 'vitest';
import { largest, smallest } from '../../../src/base/values/numbers.ts';

it.each([
  ['nothing', [], undefined, [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]],
  ['nothing, with a bound', [], 7, [7, 7]],
  ['some', [3, -1, 2], undefined, [3, -1]],
  ['some within a bound', [3, -1, 2], 2.5, [3, -1]],
  ['some beyond a bound', [3], 5, [5, 3]],
] as const)('of %s', (_, numbers, bound, expected) => {
  expect([largest(numbers, bound), smallest(numbers, bound)]).toEqual(expected);
});

it('of more numbers than the argument limit of a call', () => {
  const many = Array.from({ length: 200_000 }, (_, n) => n);
  expect([largest(many), smallest(many)]).toEqual([199_999, 0]);
});
