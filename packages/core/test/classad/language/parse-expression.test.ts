// How tightly the operators bind, and what counts as the end of an expression.
import { describe, expect, test } from 'vitest';
import { parseExpression, printExpression } from '../../../src/classad/index.ts';
import { answer } from '../answer.ts';

describe('`?:` binds like a postfix operator', () => {
  test.each([
    ['tighter than a comparison', 'Cpus ?: 4 >= 8', 'false'],
    ['tighter than an addition', 'Cpus ?: 1 + 1', '7'],
    ['tighter than a multiplication before it', '2 * Missing ?: 8', '16'],
    ['tighter than a `!` before it', '!Missing ?: true', 'false'],
    ['tighter than a sign before it', '-Missing ?: 7', '-7'],
    ['tighter than a conditional', 'Cpus ?: 2 > 100 ? "big" : "small"', '"small"'],
    ['its second operand may contain another one', 'Missing ?: Missing ?: Cpus + 1', '7'],
    ['its second operand may have a subscript', 'Missing ?: Slots[1] + 1', '9'],
    ['its second operand may be a number with its sign', 'Missing ?: -5', '-5'],
    ['its second operand has no `!`', 'Missing ?: !true', 'CLASSAD_SYNTAX'],
    ['its second operand has no separate sign', 'Missing ?: - 5', 'CLASSAD_SYNTAX'],
    ['its second operand has no sign before a name', 'Missing ?: -Cpus', 'CLASSAD_SYNTAX'],
    ['with a blank it is a conditional', 'Cpus ? : 4 >= 8', '6'],
    ['with a blank it takes any second operand', 'Missing ? : - 5', '-5'],
  ])('%s', (_title, text, expected) => {
    expect(answer(text)).toBe(expected);
  });
});

describe('text after a conditional at the top', () => {
  const text = 'Cpus > 2 ? "many" : "few" nodes';

  test('is an error in an expression', () => {
    expect(answer(text)).toBe('CLASSAD_SYNTAX');
  });

  test.each([
    ['is ignored with the option', text, '"many"'],
    ['hides nothing after another operator', 'Cpus + 2 nodes', 'CLASSAD_SYNTAX'],
    ['hides nothing after a `?:`', 'Missing ?: 2 nodes', 'CLASSAD_SYNTAX'],
    ['hides nothing after parentheses', '(Cpus > 2 ? 1 : 2) nodes', 'CLASSAD_SYNTAX'],
  ])('%s', (_title, expression, expected) => {
    expect(answer(expression, { textAfterConditional: true })).toBe(expected);
  });

  test('is ignored by eval()', () => {
    expect(answer('eval("Cpus > 2 ? 30 : 40 seconds")')).toBe('30');
    expect(answer('eval("Cpus + 2 seconds")')).toBe('error');
  });
});

test.each([
  ['a middle that ends in an operator is an empty one', 'b ? c % : d', 'b ?: d'],
  ['a middle with a stray bracket is an empty one', '(0?[0:0)', '(0 ?: 0)'],
  ['semicolons separate arguments', 'strcat("a"; "b")', 'strcat("a","b")'],
])('%s', (_title, text, expected) => {
  expect(printExpression(parseExpression(text))).toBe(expected);
});

test.each([
  ['a middle without a colon behind it', 'b ? c % 1 d', 'CLASSAD_SYNTAX'],
  ['semicolons between the elements of a list', '{ 1; 2 }', 'CLASSAD_SYNTAX'],
  ['an empty name in an ad', "[ '' = 1 ]", 'CLASSAD_SYNTAX'],
])('%s is an error', (_title, text, expected) => {
  expect(answer(text)).toBe(expected);
});

test('an outer conditional may be the one with the empty middle', () => {
  const text = 'a ? (b ? (c >> absTime("x")) : 1) : 2';
  expect(printExpression(parseExpression(text, { prefix: true }))).toBe('a ?: 1');
});

test('semicolons separate no arguments in new semantics', () => {
  expect(answer('strcat("a"; "b")', { semantics: 'new' })).toBe('CLASSAD_SYNTAX');
});
