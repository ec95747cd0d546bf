// Rows in columns.
import { expect, it } from 'vitest';
import { tableText } from '../../../src/base/text/table.ts';

it('columns are even, two blanks apart, and lines end without blanks', () => {
  const rows = [
    ['a', 'bb', 'c'],
    ['aaa', '', ''],
  ];
  expect(tableText(rows)).toBe('a    bb  c\naaa');
  expect(tableText([])).toBe('');
});

it.each([
  ['fits', 40, 'user  a-long-service-name  fresh'],
  ['is too long by a little', 28, 'user  a-long-service~  fresh'],
  ['is too long for a narrow cell', 20, 'user  a-long-~  fre~'],
])('a line that %s', (_, width, text) => {
  const options = { width, narrow: [1], shortest: 8 };
  expect(tableText([['user', 'a-long-service-name', 'fresh']], options)).toBe(text);
});

it('without a width nothing is cut', () => {
  expect(tableText([['x'.repeat(500), 'y']], { narrow: [0] })).toHaveLength(503);
});
