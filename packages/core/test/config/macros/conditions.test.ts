// Expressions in knobs: where their text may continue after them.
import {
  type ConditionContext,
  evaluateCondition,
  evaluateExpression,
} from '../../../src/config/macros/conditions.ts';
import { expect, test } from 'vitest';

test.each([
  ['text after a conditional is ignored', '6 > 2 ? 30 : 40 seconds', 30n],
  ['text after another expression is an error', '6 * 5 seconds', undefined],
])('%s', (_title, text, expected) => {
  const value = evaluateExpression(text);
  expect(value?.kind === 'integer' ? value.value : undefined).toBe(expected);
});

const KNOBS: Record<string, string> = { A: '1', EMPTY: '' };
const context: ConditionContext = {
  expand: (text) => text.replaceAll(/\$\((\w+)\)/g, (_all, name: string) => KNOBS[name] ?? ''),
  isDefined: (name) => (KNOBS[name] ?? '') !== '',
  hasTemplate: (category, name) =>
    category.toUpperCase() === 'FEATURE' && (name === undefined || name.toUpperCase() === 'OAUTH'),
  version: [25, 14, 0],
};
const COMPLEX = 'complex conditionals are not supported';
const NOT_CONDITIONAL = 'expression is not a conditional';
const ARGUMENT = 'defined argument must be param name, boolean, or number';
const LITERAL = 'the version literal is invalid';

test.each<[string, boolean]>([
  ['0', false],
  ['00', false],
  ['0.0', false],
  ['2e1.5', true],
  ['0.0.5', false],
  ['1.0+1', true],
  ['1e+-5', true],
  ['5.', true],
  ['-1', true],
  ['.5', true],
  ['1e', true],
  ['1.2.3', true],
  ['YES', true],
  ['f', false],
  ['$(NO)', false],
  ['! $(NO)', true],
  ['! $(A)', false],
  ['version >= 8.9', true],
  ['version = 25.14', true],
  ['version >= v8.9', true],
  ['version != 24.0', true],
  ['version > 25.14', false],
  ['version < 25.14.1', true],
  ['VERSION<= 25.14', true],
  ['version 25.14 >', true],
  ['version > 9.0 x', true],
  ['version >= 8.9 < 1', true],
  ['version < 25.13.1500', false],
  ['version > 24.1999.0', true],
  ['! version >= 8.1', false],
  ['defined', false],
  ['defined A', true],
  ['defined EMPTY', false],
  ['defined true', true],
  ['defined 1e1.5', true],
  ['defined .5', true],
  ['defined yes', true],
  ['defined 1a', false],
  ['defined /x', false],
  ['defined use FEATURE:', true],
  ['defined use FEATURE', true],
  ['defined use feature:oauth', true],
  ['defined use FEATURE:NO', false],
  ['defined use NO', false],
])('%s is %s', (text, value) => {
  expect(evaluateCondition(text, context)).toEqual({ value });
});

test.each([
  ['', NOT_CONDITIONAL],
  ['y', NOT_CONDITIONAL],
  ['0x10', NOT_CONDITIONAL],
  ['5K', NOT_CONDITIONAL],
  ['.', COMPLEX],
  ['-.', COMPLEX],
  ['..', COMPLEX],
  ['- 5', COMPLEX],
  ['1+1', COMPLEX],
  ['-true', NOT_CONDITIONAL],
  ['-', NOT_CONDITIONAL],
  ['!! true', COMPLEX],
  ['+1', COMPLEX],
  ['(1)', COMPLEX],
  ['1 == 1', COMPLEX],
  ['"true"', COMPLEX],
  ['version>=8.9', COMPLEX],
  ['version 8.9', COMPLEX],
  ['version > 9.0.x', COMPLEX],
  ['version == 25.14.0-rc', COMPLEX],
  ['version !> 9.0', COMPLEX],
  ['version <> 9.0', LITERAL],
  ['version >= .9', LITERAL],
  ['version >= 8', LITERAL],
  ['version >= 5.1', LITERAL],
  ['version', LITERAL],
  ['defined -1', COMPLEX],
  ['defined .', COMPLEX],
  ['defined ..', COMPLEX],
  ['defined A:B', ARGUMENT],
  ['defined 5/2', ARGUMENT],
  ['defined _', ARGUMENT],
  ['defined use FEATURE:GPUs(1)', COMPLEX],
  ['defined use FEATURE:GPU1', COMPLEX],
  ['defined A B', ARGUMENT],
  ['defined use FEATURE : X', 'defined use meta argument with internal spaces will never match'],
])('%s is rejected', (text, refused) => {
  expect(evaluateCondition(text, context)).toEqual({ refused });
});
