// Configurations that would hang or crash HTCondor, or fill the memory: each gives a
// coded error.
import { expect, test } from 'vitest';
import { isCoded } from '../../../src/base/errors/errors.ts';
import { memoryHost, readText } from '../read-text.ts';

const repeat = (text: string, count: number): string => text.repeat(count);

function outcome(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return isCoded(error) ? error.code : error;
  }
}

/** Code and start of the message. */
function refusal(text: string): readonly string[] {
  try {
    return ['read', String(readText(text).names().length)];
  } catch (error) {
    return isCoded(error) ? [error.code, error.message.slice(0, 3)] : [String(error)];
  }
}

test.each([
  ['two knobs that refer to each other', 'A = $(B)\nB = $(A)\n'],
  ['a circular reference that grows', 'A = x$(B)\nB = y$(A)y\n'],
  ['a knob that selects from itself', 'A = a,b,c\nA = $CHOICE(1,A)\n'],
  ['a knob that is an integer of itself', 'A = $INT(A)\n'],
  ['a knob that shortens itself', 'A = $SUBSTR(A,1)\n'],
  ['a file part of another knob that refers back', 'A = $Fn(B)\nB = $(A)\n'],
  [
    'thirty knobs that each double the next',
    `A = $(K0)\n${Array.from({ length: 30 }, (_, i) => `K${i} = $(K${i + 1})$(K${i + 1})\n`).join('')}K30 = xxxx\n`,
  ],
])('%s: CONFIG_LIMIT', (_title, text) => {
  expect(outcome(() => readText(text).get('A'))).toBe('CONFIG_LIMIT');
});

test('a knob that cannot be expanded is named with its file and line', () => {
  const config = readText('B = $(A)\n\nA = $(B)\n');
  expect(() => config.get('A')).toThrow(/^\S+, line 3: A cannot be expanded: /);
  expect(() => config.get('b')).toThrow(/^\S+, line 1: b cannot be expanded: /);
});

test.each([
  [
    'a value that doubles itself line by line',
    `A = xxxxxxxx\n${repeat('A = $(A)$(A)\n', 40)}`,
    'CONFIG_LIMIT',
  ],
  ['an endless condition', 'A = $(B)\nB = $(A)\nif $(A)\nendif\n', 'CONFIG_LIMIT'],
  ['sixty-four nested ifs', `${repeat('if true\n', 64)}${repeat('endif\n', 64)}`, 'CONFIG_SYNTAX'],
  ['a file that includes itself', 'include : /c\n', 'CONFIG_SYNTAX'],
])('%s is rejected during reading, with file and line', (_title, text, code) => {
  expect(refusal(text)).toEqual([code, '/c:']);
});

const MANY = 200_000;

test.each([
  ['functions that never close', repeat('$INT(', MANY)],
  ['references that never close', repeat('$(X:', MANY)],
  ['references closed by one parenthesis', `${repeat('$(X:', MANY)})`],
  ['parentheses before a long tail', `${repeat('$(X:(', 2000)})${repeat('a', MANY)}`],
  ['many macros after an invalid one', `$(-${repeat('$(Y)', 5000)}`],
])('a hostile value of %s ends, expanded or rejected', (_title, value) => {
  expect(['string', 'undefined']).toContain(
    typeof outcome(() => readText(`A = ${value}\n`).get('A')),
  );
});

test('a value of two million continued lines is read', () => {
  const value = readText(`A = ${repeat('a\\\n', MANY * 10)}\n`).get('A');
  expect(value).toHaveLength(MANY * 10);
});

test('a hostile value that would take minutes is rejected', () => {
  const value = `${repeat('$(X:(', MANY)})${repeat('a', MANY * 5)}`;
  expect(outcome(() => readText(`A = ${value}\n`).get('A'))).toBe('CONFIG_LIMIT');
});

test('a value that refers to itself a million times is rejected before it is built', () => {
  const text = `A = ${repeat('x', 100_000)}\nA = ${repeat('$(A)', 1000)}\n`;
  expect(outcome(() => readText(text))).toBe('CONFIG_LIMIT');
});

test('a default that refers to the knob itself is expanded at once', () => {
  expect(readText('A = x$(A:$(A:y)$(B))\nB = z\n').get('A')).toBe('xyz');
});

test('a deep chain of references is not circular', () => {
  const chain = Array.from({ length: 3000 }, (_, i) => `K${i} = $(K${i + 1})\n`).join('');
  expect(readText(`${chain}K3000 = end\n`).get('K0')).toBe('end');
});

test.each([
  ['is not run when commands are not allowed', '/c', { commandsAllowed: false }, 'CONFIG_READ'],
  ['is not run for a file that others can write', '/tmp/c', {}, 'CONFIG_READ'],
  ['is run otherwise', '/c', {}, '7'],
])('a command %s', (_title, file, options, wanted) => {
  const host = memoryHost(
    { [file]: 'include command : /bin/knobs x\n' },
    { '/bin/knobs x': 'A = 7\n' },
  );
  expect(
    outcome(() => readText('', { host, env: { CONDOR_CONFIG: file }, ...options }).get('A')),
  ).toBe(wanted);
});

test('the output of a command may request a command only if the requesting file may', () => {
  const commands = { one: 'include command : two\n', two: 'A = 2\n' };
  const host = memoryHost({ '/c': 'include command : one\n' }, commands);
  expect(readText('', { host }).get('A')).toBe('2');
});

test('a command in LOCAL_CONFIG_FILE is not run if the file with that knob is writable by other users', () => {
  const files = { '/c': 'include : /tmp/i\n', '/tmp/i': 'LOCAL_CONFIG_FILE = knobs |\n' };
  const host = memoryHost(files, { knobs: 'A = 1\n' });
  expect(outcome(() => readText('', { host }))).toBe('CONFIG_READ');
});
