// Findings as a person reads them.
import {
  findingsText,
  hasErrors,
  ok,
  tableText,
  wantsColour,
  warning,
  wrong,
} from '../../../src/base/text/findings.ts';
import { expect, it } from 'vitest';

const long = Array.from({ length: 30 }, (_, index) => `word${index}`).join(' ');

it('findings of one thing stand together, in lines of at most 80 columns, and the last line tells where the errors are', () => {
  const findings = [
    ok('daemon', 'process 7 is running'),
    ok('mytok (login)', long),
    wrong('mytok (login)', 'x'),
  ];
  const text = findingsText([...findings, warning('Vault', 'is sealed')]);
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toBe(
    `daemon
  ok       process 7 is running

mytok (login)
  ok       word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10
           word11 word12 word13 word14 word15 word16 word17 word18 word19 word20
           word21 word22 word23 word24 word25 word26 word27 word28 word29
  ERROR    x

Vault
  WARNING  is sealed

1 error, 1 warning. Errors in: mytok (login).`,
  );
});

it('a name or path that is longer than a line stays whole', () => {
  const path = `/${'p'.repeat(100)}`;
  expect(findingsText([ok('a', `${path} is there`)])).toContain(
    `\n  ok       ${path}\n           is there\n`,
  );
});

it('a command that fixes something stays on one line of its own', () => {
  const command = `chmod go-rwx ${'/path'.repeat(20)}`;
  expect(findingsText([wrong('a', `it can be read by others; fix: ${command}`)])).toContain(
    `  ERROR    it can be read by others\n           fix: ${command}\n`,
  );
});

it('only errors are wrong', () => {
  expect([hasErrors([ok('a', 'x'), warning('b', 'y')]), hasErrors([wrong('c', 'z')])]).toEqual([
    false,
    true,
  ]);
  expect(findingsText([ok('a', 'x')])).toMatch(/\n\nNothing is wrong\.$/);
});

it('labels are coloured where asked, and the columns stay', () => {
  const findings = [ok('a', 'x'), warning('a', 'y'), wrong('a', 'z')];
  const coloured = findingsText(findings, true);
  expect(coloured).toContain('\u001B[31mERROR\u001B[39m');
  // eslint-disable-next-line no-control-regex -- the codes are what is removed
  expect(coloured.replaceAll(/\u001B\[\d+m/g, '')).toBe(findingsText(findings));
});

it.each([
  [true, {}, true],
  [true, { NO_COLOR: '' }, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { TERM: 'dumb' }, false],
  [false, {}, false],
])('a terminal %s with %j wants colours: %s', (isTerminal, environment, wanted) => {
  expect(wantsColour(isTerminal, environment)).toBe(wanted);
});

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
