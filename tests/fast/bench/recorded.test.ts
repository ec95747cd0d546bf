// The guards fail at 1.3 times the recorded ratio.
import { expect, it } from 'vitest';
import { compare, recordedText } from '../../../bench/src/shared/recorded.ts';

it.each([
  [2.59, 2, false],
  [2.61, 2, true],
  [0.1, 2, false],
  [0, 0, false],
  [0.01, 0, true],
  [Number.NaN, 2, true],
  [1, undefined, true],
])('measured %d, recorded %d: failed is %s', (measured, recorded, failed) => {
  const known: Record<string, number> = recorded === undefined ? {} : { row: recorded };
  expect(compare({ row: measured }, known)).toMatchObject([{ name: 'row', failed }]);
});

it('a failed guard says what to do', () => {
  expect(compare({ row: 2.71 }, { row: 2 }).map(({ text }) => text)).toEqual([
    'row: 2.71 times the floor, recorded 2, limit 2.6; if this is intended: npm run bench -- --record',
  ]);
  expect(compare({ row: 2 }, {})[0]?.text).toMatch(/no ratio recorded; if this/);
});

it('the file is sorted and rounded', () => {
  expect(recordedText({ b: 1.23456, a: 2 })).toBe('{\n  "a": 2,\n  "b": 1.235\n}\n');
});
