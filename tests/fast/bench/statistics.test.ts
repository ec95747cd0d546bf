// Median, spread and ratios of the benchmarks.
import { describe, expect, it } from 'vitest';
import { medianOf, percentileOf, ratioOf, spreadOf } from '../../../bench/src/shared/statistics.ts';

describe('the spread', () => {
  it.each([
    [[3], { median: 3, low: 3, high: 3, count: 1 }],
    [[3, 1, 2], { median: 2, low: 1, high: 3, count: 3 }],
    [[4, 1, 3, 2], { median: 2.5, low: 1, high: 4, count: 4 }],
    [[10, 9, 2], { median: 9, low: 2, high: 10, count: 3 }],
  ])('of %j is %j', (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });

  it('of nothing is an error', () => {
    expect(() => spreadOf([])).toThrow('nothing was measured');
    expect(medianOf([])).toBeNaN();
  });
});

it.each([
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.99, 4],
  [[7], 0.01, 7],
])('of %j, the share %d does not exceed %d', (values, share, expected) => {
  expect(percentileOf(values, share)).toBe(expected);
});

it('the ratio is the median of the ratios of each round', () => {
  expect(ratioOf([10, 40, 9], [5, 10, 3])).toBe(3);
  expect(ratioOf([10, 40], [5])).toBe(2);
});
