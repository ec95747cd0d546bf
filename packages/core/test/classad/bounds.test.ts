// Limits and errors: every excess ends in one coded error, and a syntax error is reported
// with its position.
import { cpuSeconds } from '@credmon/test-fixtures/clocks/cpu-time';
import { describe, expect, test } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import {
  evaluate,
  parseAd,
  parseExpression,
  parseLongLine,
  printValue,
} from '../../src/classad/index.ts';

const failure = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return isCoded(error) ? { code: error.code, ...error.fields } : error;
  }
};
const value = (text: string, my = '[]'): string =>
  printValue(evaluate(parseExpression(text), { my: parseAd(my), now: 0 }));

describe('an exceeded limit', () => {
  const chain = Array.from({ length: 1500 }, (_, i) => `a${i} = a${i + 1}`).join('; ');
  const doubling = Array.from(
    { length: 40 },
    (_, i) => `a${i} = strcat(a${i + 1}, a${i + 1})`,
  ).join('; ');
  test.each([
    ['nested parentheses', () => parseExpression('('.repeat(100_000)), 'depth'],
    ['nested lists', () => parseExpression('{'.repeat(100_000)), 'depth'],
    ['nested signs', () => parseExpression('!'.repeat(100_000)), 'depth'],
    [
      'a long chain of operators',
      () => parseExpression('1' + '+1'.repeat(100_000)),
      'evaluationDepth',
    ],
    ['a long chain of attributes', () => value('a0', `[ ${chain} ]`), 'evaluationDepth'],
    ['names of a long chain', () => value('unresolved(a0)', `[ ${chain} ]`), 'evaluationDepth'],
    ['names that double', () => value('unresolved(a0)', `[ ${doubling} ]`), 'steps'],
    ['work that doubles at each step', () => value('a0', `[ ${doubling}; a40 = "x" ]`), 'steps'],
    ['a text that is too long', () => parseExpression(' '.repeat(2 << 20)), 'textLength'],
    [
      'work on long strings',
      () =>
        value(
          `size({${Array(200).fill('toUpper(big)').join()}}[0]) + ${Array(200).fill('size(toUpper(big))').join(' + ')}`,
          `[ big = "${'x'.repeat(1 << 18)}" ]`,
        ),
      'steps',
    ],
    ['a long pattern', () => value(`regexp("${'a'.repeat(5000)}", "a")`), 'patternLength'],
    ['a long subject', () => value(`regexp("a", "${'b'.repeat(100_000)}")`), 'subjectLength'],
  ])('%s is CLASSAD_LIMIT', (_name, run, limit) => {
    expect(failure(run)).toMatchObject({ code: 'CLASSAD_LIMIT', limit });
  });

  test('the deepest allowed expressions are evaluated and printed', () => {
    expect(value('('.repeat(490) + '1' + ')'.repeat(490))).toBe('1');
    expect(value(`1${'+1'.repeat(900)}`)).toBe('901');
  });
});

test('a syntax error is reported with line, column and a caret', () => {
  const parse = (): unknown => parseExpression('1 +\n  (2 * )');
  expect(failure(parse)).toEqual({ code: 'CLASSAD_SYNTAX', line: 2, column: 8, offset: 11 });
  expect(parse).toThrow(
    'ClassAd syntax error in line 2, column 8: an expression expected, but found `)`\n  (2 * )\n       ^',
  );
});

test('the text is not in the message when it may contain secrets', () => {
  expect(() => parseExpression('"secret" "', { quote: false })).toThrow(/^(?!.*secret)/s);
});

test.each([
  ['blanks inside an item', () => value(`size(split("a${' '.repeat(500_000)}b", ","))`)],
  ['blanks before a time', () => value(`relTime(strcat("${' '.repeat(500_000)}", "x"))`)],
  ['blanks inside a name', () => parseLongLine(`a${' '.repeat(500_000)}b = 1`).name.length],
])('%s take linear time', (_name, run) => {
  expect(cpuSeconds(run)).toBeLessThan(2);
});
