// Knobs as booleans, numbers, sizes, durations, lists and paths, and the errors of
// invalid ones; and knobs as HTCondor's Python module returns them.
import { loadConfig } from '../../../src/config/machine/load.ts';
import {
  parameter,
  readBoolean,
  readDuration,
  readInteger,
  readList,
  readLogLimit,
  readPath,
  readReal,
  readSize,
  readString,
} from '../../../src/config/typed/typed.ts';
import { readText } from '../read-text.ts';
import { expect, test } from 'vitest';

function configOf(knobs: Record<string, string>): ReturnType<typeof loadConfig> {
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  return loadConfig({ subsystem: 'TEST', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } });
}

const x = (value: string): ReturnType<typeof loadConfig> => configOf({ X: value });

test.each([
  ['a boolean word, in any case', readBoolean(x('TRUE'), 'X', false), true],
  ['a number as a boolean', readBoolean(x('0'), 'X', true), false],
  ['a boolean followed by other text', readBoolean(x('true # c'), 'X', false), true],
  ['an integer', readInteger(x('-12'), 'X', 0), -12],
  ['an integer with leading zeros', readInteger(x('007'), 'X', 0), 7],
  ['a real number truncated to an integer', readInteger(x('5.9'), 'X', 0), 5],
  ['a real number', readReal(x('.25'), 'X', 0), 0.25],
  ['a text with blanks', readString(x('a b'), 'X', undefined), 'a b'],
  ['an absolute path', readPath(x('/a/b'), 'X', undefined), '/a/b'],
  ['a list', readList(x('a, b  c,,d'), 'X', []), ['a', 'b', 'c', 'd']],
  ['megabytes', readSize(x('10 Mb'), 'X', 0), 10_485_760],
  ['kilobytes without a blank', readSize(x('2K'), 'X', 0), 2048],
  ['plain bytes', readSize(x('1000'), 'X', 0), 1000],
  ['minutes', readDuration(x('15 min'), 'X', 0), 900],
  ['a lower-case m as minutes', readDuration(x('2m'), 'X', 0), 120],
  ['plain seconds', readDuration(x('90'), 'X', 0), 90],
  ['a day', readDuration(x('1 day'), 'X', 0), 86_400],
  ['a log limit in bytes', readLogLimit(x('1 Kb'), 'X', { bytes: 0 }), { bytes: 1024 }],
  ['a log limit in time', readLogLimit(x('1 h'), 'X', { bytes: 0 }), { seconds: 3600 }],
  ['the fallback for a knob that is not set', readInteger(configOf({}), 'X', 42), 42],
  ['the fallback for an empty knob', readBoolean(x(''), 'X', true), true],
])('reads %s', (_title, result, value) => {
  expect(result).toEqual({ ok: true, value });
});

test.each([
  [
    'a word that is not a boolean',
    readBoolean(x('yes'), 'X', false),
    'X = yes is not a boolean: must be true or false',
  ],
  ['a word that is not an integer', readInteger(x('5x'), 'X', 0), 'X = 5x is not an integer'],
  [
    'an integer below its bound',
    readInteger(x('0'), 'X', 5, { min: 1 }),
    'X = 0 is too small: must be at least 1',
  ],
  [
    'an integer above its bound',
    readInteger(x('9'), 'X', 5, { max: 8 }),
    'X = 9 is too large: must be at most 8',
  ],
  ['a word that is not a number', readReal(x('pi'), 'X', 0), 'X = pi is not a number'],
  ['a relative path', readPath(x('a/b'), 'X', undefined), 'X = a/b is not an absolute path'],
  ['a time for a size', readSize(x('10 min'), 'X', 0), 'X = 10 min is not a size such as 10 Mb'],
  [
    'a size for a time',
    readDuration(x('5 Mb'), 'X', 0),
    'X = 5 Mb is not a duration: must be a number of seconds or, for example, 15 min',
  ],
])('describes %s with the knob, its value and its origin', (_title, result, message) => {
  const origin = { kind: 'environment' };
  expect(result).toEqual({
    ok: false,
    problem: { name: 'X', message: `<Environment>: ${message}`, origin },
  });
});

test('R43 a secret in place of the path of its file is not shown', () => {
  const name = 'mytok_CLIENT_SECRET_FILE';
  const result = readPath(configOf({ [name]: 'CANARY' }), name, undefined);
  expect(result.ok ? result : result.problem.message).toBe(
    `<Environment>: ${name} (value not shown) is not an absolute path: it must be the path of a file that contains the secret`,
  );
});

test('an endless expansion is an error of that knob, not an exception', () => {
  const result = readString(configOf({ X: '$(Y)', Y: '$(X)' }), 'X', undefined);
  expect(result.ok ? result : result.problem.message).toMatch(
    /^<Environment>: X cannot be expanded: /,
  );
});

const valueOf = (name: string, text: string): unknown =>
  parameter(readText(`${name} = ${text}\n`), name)?.value;

test.each([
  ['0x2', false],
  ['020', false],
  ['00', false],
  ['0x', false],
  ['false7', false],
  ['0 > 1 later', false],
  ['1x', true],
  ['true false', true],
  ['TRUE # c', true],
  ['10', true],
  ['1 - 1', false],
  ['0.5', true],
  ['0 == 0', true],
  ['6 > 2 ? false : true later', false],
])('a boolean: the front decides if the text is not an expression: %s is %s', (text, value) => {
  expect(valueOf('USE_SHARED_PORT', text)).toBe(value);
});

test.each(['yes', 'no', 't', '2 > 3 later', '"false"', 'not false', '{false}', 'x'])(
  'another text gives the default: %s',
  (text) => {
    expect(valueOf('USE_SHARED_PORT', text)).toBe(true);
  },
);

test.each([
  ['SEC_CREDENTIAL_SWEEP_DELAY', '6 > 2 ? 30 : 40 seconds', 30],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '(6 > 2 ? 30 : 40) seconds', 3600],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '5 seconds', 3600],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '7e401', -2_147_483_648],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '1e10', 2_147_483_647],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '99999999999999999999', 2_147_483_647],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '-99999999999999999999', -2_147_483_648],
  ['PRIORITY_HALFLIFE', '7e401', Number.MAX_VALUE],
  ['PRIORITY_HALFLIFE', '-inf', -Number.MAX_VALUE],
  ['PRIORITY_HALFLIFE', '0x10', 16],
  ['PRIORITY_HALFLIFE', '6 > 2 ? 1.5 : 4 z', 1.5],
  ['PRIORITY_HALFLIFE', '1.5 z', 86_400],
])('a number: %s = %s is %s', (name, text, value) => {
  expect(valueOf(name, text)).toBe(value);
});

test("the readers of credmon's own knobs ignore a text after a conditional, too", () => {
  const config = readText('X = 6 > 2 ? 30 : 40 seconds\nY = 4 KiB\n');
  expect([readInteger(config, 'X', 0), readReal(config, 'X', 0), readSize(config, 'Y', 0)]).toEqual(
    [30, 30, 4096].map((value) => ({ ok: true, value })),
  );
});
