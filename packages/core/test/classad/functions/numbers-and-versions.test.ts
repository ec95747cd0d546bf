// Functions on numbers and versions: what HTCondor 25.14 returns in the odd cases.
import { expect, test } from 'vitest';
import { answer } from '../answer.ts';
import { power } from '../../../src/classad/functions/numbers-and-versions.ts';

test.each([
  ['no quantum leaves a number as it is', 'quantize(9, false)', '9'],
  ['a tiny quantum leaves a number as it is', 'quantize(9, 0.000000001)', '9'],
  ['a negative quantum truncates', 'quantize(7, -2)', '4'],
  ['the last element of a list is the quantum', 'quantize(7, { 1, 2 })', '8'],
  ['the last digit of pow is that of the C library', 'pow(0.3, 3.1)', '2.393734006526075E-02'],
  ['a number without a sense for random fails the evaluation', 'isError(random(-1))', 'error'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});

test.each([
  [1.5, -7.25, 5.288571397442165e-2],
  [10, 308, 1e308],
  [10, -320, 1e-320],
  [2, -1074, 5e-324],
  [4.9e-324, 0.5, 2.2227587494850775e-162],
  [-8, 3, -512],
  [-2, -3, -0.125],
  [-8, 0.5, NaN],
  [1, NaN, 1],
  [-1, -Infinity, 1],
  [0, -1, Infinity],
  [1e300, 2, Infinity],
  [1.0000000000000002, 1e15, 1.2486270715390861],
])('%d to the power of %d is %d', (base, exponent, expected) => {
  expect(power(base, exponent)).toBe(expected);
});

test.each([
  ['UNDEFINED precedes ERROR in versionGE', 'versionGE(Broken, Missing)', 'undefined'],
  ['UNDEFINED precedes ERROR in versioncmp', 'versioncmp(Missing, Broken)', 'undefined'],
  [
    'an undefined bound makes version_in_range undefined',
    'version_in_range("8.2", Missing, Broken)',
    'undefined',
  ],
  ['an undefined version is an error', 'version_in_range(Missing, "8.2", "9.0")', 'error'],
  ['versioncmp says how many digits are more', 'versioncmp("9.10", "9.9")', '1'],
  ['versioncmp says how many zeros are less', 'versioncmp("09", "8.2.1")', '-1'],
  ['versioncmp compares bytes as signed', 'versioncmp("\\303", "a")', '-158'],
])('%s', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});
