// All built-in defaults of HTCondor 25.14, raw.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FACTS, readText } from './read-text.ts';

const fixture = fileURLToPath(
  new URL('../../../../test-fixtures/golden/config/param-defaults.json', import.meta.url),
);
const defaults = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, string>;
const DETECTED = /^(?:FULL_)?HOSTNAME$|^SUBSYSTEM$|^LOCALNAME$|^TILDE$|^CONFIG_ROOT$/;

test('all 1,193 knobs in the table have their default, except detected ones', () => {
  const config = readText('', { facts: { ...FACTS, early: {}, late: {} } });
  const wanted = Object.entries(defaults).filter(([name]) => !DETECTED.test(name));
  expect(Object.keys(defaults)).toHaveLength(1193);
  expect(Object.fromEntries(wanted.map(([name]) => [name, config.raw(name)]))).toEqual(
    Object.fromEntries(wanted),
  );
});

test.each([
  [
    'a value equal to the default keeps the default as its origin',
    'LOG = $(LOCAL_DIR)/log\n',
    'LOG',
    { kind: 'default' },
  ],
  [
    'a value from the file has file and line',
    '\n\nA = 1\n',
    'A',
    { kind: 'file', file: '/c', line: 3 },
  ],
  [
    'a continued value has its last line',
    'A = 1 \\\n 2\n',
    'A',
    { kind: 'file', file: '/c', line: 2 },
  ],
  [
    'a multi-line value has the line of its end tag',
    'A @=x\n1\n@x\n',
    'A',
    { kind: 'file', file: '/c', line: 3 },
  ],
  ['a detected value is marked as such', '', 'FULL_HOSTNAME', { kind: 'detected' }],
  ['a knob that is not set has no origin', '', 'NO_SUCH', undefined],
])('%s', (_title, text, name, origin) => {
  expect(readText(text).origin(name)).toEqual(origin);
});

test('an environment variable is the origin of its knob', () => {
  const config = readText('A = 1\n', { env: { CONDOR_CONFIG: '/c', _CONDOR_A: '2' } });
  expect([config.get('A'), config.origin('A')]).toEqual(['2', { kind: 'environment' }]);
});
