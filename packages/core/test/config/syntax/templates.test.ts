// The built-in templates: the recorded changes of each, and the insertion of arguments.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { warningText } from '../../../src/config/table/config.ts';
import templates from '../../../src/config/syntax/templates.json' with { type: 'json' };
import { fillArguments, parseUses } from '../../../src/config/syntax/templates.ts';
import { readText } from '../read-text.ts';

const fixture = fileURLToPath(
  new URL('../../../../../test-fixtures/golden/config/template-effects.json', import.meta.url),
);
const effects = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, Record<string, string>>;

describe('a template without arguments makes the changes that HTCondor 25.14 records, and no others', () => {
  test.each(Object.entries(effects))('use %s', (label, wanted) => {
    const [category, name] = label.split(':');
    const plain = readText('');
    const changed = readText(`use ${category} : ${name}\n`);
    const got = changed.names().filter((knob) => changed.raw(knob) !== plain.raw(knob));
    const key = (knob: string): string => knob.toLowerCase();
    expect(Object.fromEntries(got.map((knob) => [key(knob), changed.raw(knob)]))).toEqual(
      Object.fromEntries(Object.entries(wanted).map(([knob, raw]) => [key(knob), raw])),
    );
  });
});

test.each([
  ['X = $(1)', 'a, b', 'X = a'],
  ['X = $(2)', 'a, b (c, d)', 'X = b (c, d)'],
  ['X = $(0)', 'a, b', 'X = a, b'],
  ['X = $(2+)', 'a, b,c', 'X = b,c'],
  ['X = $(0#)', 'a, b', 'X = 2'],
  ['X = $(0#)', undefined, 'X = 0'],
  ['X = $(2?) $(3?)', 'a, b', 'X = 1 0'],
  ['X = $(1:24*3600)', undefined, 'X = 24*3600'],
  ['X = $(1:$(NUM_CPUS))', '', 'X = $(NUM_CPUS)'],
  ['X = $(LOG) $($(1))', 'Y', 'X = $(LOG) $(Y)'],
])('%s with (%s) reads %s', (line, text, filled) => {
  expect(fillArguments(line, text)).toBe(filled);
});

test('items of a use statement are separated by commas and blanks, outside parentheses', () => {
  expect(parseUses(' A, B(x, (y)) C,,D ')).toEqual([
    { name: 'A', arguments: undefined },
    { name: 'B', arguments: 'x, (y)' },
    { name: 'C', arguments: undefined },
    { name: 'D', arguments: undefined },
  ]);
});

test('a template known only by name is ignored with one warning', () => {
  const config = readText('use FEATURE : VMware\nA = 1\n');
  const message = 'use FEATURE:VMware ignored: credmon reads none of its knobs';
  expect([config.get('A'), config.warnings]).toEqual(['1', [{ message, file: '/c', line: 1 }]]);
});

describe('a template that HTCondor may know, but this table does not contain', () => {
  const skipped = (label: string, hint = ''): string =>
    `use ${label} is ignored and its settings are missing: unknown template${hint}; if HTCondor has it, replace this line with the output of "condor_config_val use ${label}"`;

  test.each([
    ['use FEATURE : Nope', [skipped('FEATURE:Nope')]],
    ['use feature : OAut', [skipped('feature:OAut', '; did you mean FEATURE:OAUTH?')]],
    ['use FEATURE : Submit', [skipped('FEATURE:Submit', '; did you mean ROLE:Submit?')]],
    ['use EXPERIMENTAL : HADFixedPort(cm1, cm2)', [skipped('EXPERIMENTAL:HADFixedPort')]],
    ['use UPGRADE : DISCARDX', [skipped('UPGRADE:DISCARDX')]],
    ['use FEATURE : One(a, b), OAUTH, Two', [skipped('FEATURE:One'), skipped('FEATURE:Two')]],
    ['if false\nuse FEATURE : Nope\nendif', []],
  ])('%s: a warning with file and line, and all other settings are used', (statement, messages) => {
    const config = readText(`\n${statement}\nA = 1\nuse ROLE : Submit\n`);
    const line = 2;
    expect([config.get('A'), config.get('DAEMON_LIST')?.includes('SCHEDD')]).toEqual(['1', true]);
    expect(config.warnings).toEqual(messages.map((message) => ({ message, file: '/c', line })));
  });

  test('the following templates are read', () => {
    const config = readText('use FEATURE : One, OAUTH\n');
    expect(config.get('SEC_CREDENTIAL_DIRECTORY_OAUTH')).toBe('/var/lib/condor/oauth_credentials');
  });

  test('a warning has its position', () => {
    expect([
      warningText({ message: 'odd', file: '/c', line: 7 }),
      warningText({ message: 'odd' }),
    ]).toEqual(['/c, line 7: odd', 'odd']);
  });
});

test('a knob set by a template has its name and line', () => {
  const config = readText('A = 1\nuse FEATURE : OAUTH\n');
  const origin = { kind: 'file', file: '/c', line: 2, template: 'FEATURE:OAUTH+1' };
  expect(config.origin('SEC_CREDENTIAL_DIRECTORY_OAUTH')).toEqual(origin);
});

test('docs/templates.md lists all templates, and no others', () => {
  const page = readFileSync(
    fileURLToPath(new URL('../../../../../docs/templates.md', import.meta.url)),
    'utf8',
  );
  const named = [...page.matchAll(/^- `([A-Za-z0-9_]+)|(?<=: |, )`([A-Za-z0-9_]+)`(?=[,.])/gm)].map(
    ([, a, b]) => a ?? b,
  );
  expect(named.sort()).toEqual(
    Object.values(templates)
      .flatMap((names) => Object.keys(names))
      .sort(),
  );
});
