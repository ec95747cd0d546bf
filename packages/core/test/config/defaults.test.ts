// All built-in defaults of HTCondor 25.14, raw.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FACTS, readText } from './read-text.ts';

const fixture = fileURLToPath(
  new URL('../../../../test-fixtures/golden/config/param-defaults.json', import.meta.url),
);
const defaults = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, string>;
const DETECTED =
  /^(?:FULL_)?HOSTNAME$|^SUBSYSTEM$|^LOCALNAME$|^TILDE$|^CONFIG_ROOT$|^IP_ADDRESS_IS_IPV6$/;

test('all 1,193 knobs in the table have their default, except detected ones', () => {
  const config = readText('', {
    subsystem: 'CREDD',
    facts: { ...FACTS, early: {}, late: {}, addresses: () => [] },
  });
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

describe('some subsystems have defaults of their own', () => {
  test.each([
    ['TOOL', 'IsTool', 'true'],
    ['CREDD', 'IsTool', 'false'],
    ['MASTER', 'IsMaster', 'true'],
    ['SCHEDD', 'IsSchedd', 'true'],
    ['SHADOW', 'IsShadow', 'true'],
    ['STARTER', 'IsStarter', 'true'],
    ['SUBMIT', 'IsSubmit', 'true'],
    ['STARTD', 'IsStartd', 'true'],
    ['COLLECTOR', 'IsCollector', 'true'],
    ['NEGOTIATOR', 'IsNegotiator', 'true'],
    ['MASTER', 'PID_SNAPSHOT_INTERVAL', '60'],
    ['CREDMON_OAUTH', 'PID_SNAPSHOT_INTERVAL', '15'],
    ['MASTER', 'ENABLE_CLASSAD_CACHING', 'false'],
    ['SHADOW', 'ENABLE_CLASSAD_CACHING', 'false'],
    ['STARTER', 'ENABLE_CLASSAD_CACHING', 'false'],
    ['CREDD', 'ENABLE_CLASSAD_CACHING', 'true'],
  ])('%s: %s is %s', (subsystem, name, value) => {
    const config = readText(`A = $(${name})\n`, { subsystem });
    expect([config.get(name), config.get('A'), config.origin(name)]).toEqual([
      value,
      value,
      { kind: 'default' },
    ]);
  });

  test('a value of the plain name does not override them, one with the prefix or local name does', () => {
    const text =
      'PID_SNAPSHOT_INTERVAL = 99\nMASTER.IsMaster = maybe\nA.PID_SNAPSHOT_INTERVAL = 4\n';
    const read = (localName: string | undefined): (string | undefined)[] => {
      const config = readText(text, { subsystem: 'MASTER', localName });
      return [config.get('PID_SNAPSHOT_INTERVAL'), config.get('IsMaster')];
    };
    expect([read(undefined), read('A')]).toEqual([
      ['60', 'maybe'],
      ['4', 'maybe'],
    ]);
  });

  test('all names have only those of the own subsystem, in place of the plain name', () => {
    const isTool = (subsystem: string): string[] =>
      readText('', { subsystem })
        .names()
        .filter((name) => /istool/i.test(name));
    expect([isTool('TOOL'), isTool('CREDD')]).toEqual([['TOOL.IsTool'], ['IsTool']]);
  });

  test('a template that the default of a subsystem asks for is read', () => {
    const names = (subsystem: string): string | undefined =>
      readText('', { subsystem }).raw('JOB_TRANSFORM_NAMES');
    expect([names('SCHEDD'), names('CREDD')]).toEqual([' PelicanRetry', undefined]);
  });
});

test('the defaults of several lines have the indentation of HTCondor', () => {
  expect(readText('').raw('CATALOG_SPACE')).toBe(
    '    ifthenelse(\n        MappingMethod ?: "" != "Copy",\n        $(SUM_OF_CATALOGS),\n        0\n)',
  );
});

test('an environment variable is the origin of its knob', () => {
  const config = readText('A = 1\n', { env: { CONDOR_CONFIG: '/c', _CONDOR_A: '2' } });
  expect([config.get('A'), config.origin('A')]).toEqual(['2', { kind: 'environment' }]);
});
