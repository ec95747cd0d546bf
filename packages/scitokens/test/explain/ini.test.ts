// INI files by the rules of XRootD's reader.
import { describe, expect, it } from 'vitest';
import { parseIni } from '../../src/explain/ini.ts';

const settingsOf = (text: string): Record<string, unknown> => {
  const { sections } = parseIni(text);
  return Object.fromEntries(
    sections.map(({ name, settings }) => [
      name,
      Object.fromEntries([...settings].map(([key, { value, line }]) => [key, `${value}@${line}`])),
    ]),
  );
};

describe('an INI file', () => {
  it.each([
    ['has sections and settings', '[A]\na = 1\n[B]\nb: 2', { A: { a: '1@2' }, B: { b: '2@4' } }],
    ['may begin with a byte order mark', '\uFEFF[A]\na=1', { A: { a: '1@2' } }],
    [
      'has comments',
      '; x\n# y\n[A] ; z\na = 1 ; one\nb = 2;3\n#c = 4',
      { A: { a: '1@4', b: '2;3@5' } },
    ],
    [
      'compares names without case',
      '[A]\nBase_Path = /X\n[a]\nbase_path = /y',
      { A: { base_path: '/y@4' } },
    ],
    ['uses the last value', '[A]\na = 1\na = 2', { A: { a: '2@3' } }],
    ['uses the value of a continuation line', '[A]\na = 1\n  2', { A: { a: '2@3' } }],
    ['has no continuation after a section', '[A]\n a = 1', { A: { a: '1@2' } }],
    ['may have empty values and CR', '[A]\r\na =\r\nb = = x\r\n', { A: { a: '@2', b: '= x@3' } }],
    ['ignores settings before the first section', 'a = 1\n[A]', { A: {} }],
    [
      'reads a long line in pieces of 199 bytes',
      `[A]\na = ${'x'.repeat(195)}b = 2\nc = ${'y'.repeat(195)} z`,
      { A: { a: `${'x'.repeat(195)}@2`, b: '2@2', c: 'z@3' } },
    ],
    [
      'reads a line of 198 bytes as it is',
      `[A]\na = ${'x'.repeat(194)}\nb = 1`,
      { A: { a: `${'x'.repeat(194)}@2`, b: '1@3' } },
    ],
    [
      'knows 49 bytes of a section name',
      `[${'n'.repeat(49)}one]\na = 1\n[${'n'.repeat(49)}two]\nb = 2`,
      { ['n'.repeat(49)]: { a: '1@2', b: '2@4' } },
    ],
  ])('%s', (_title, text, expected) => {
    expect(settingsOf(text)).toEqual(expected);
  });

  it('lists what is wrong and what is odd, with lines', () => {
    const text = `[A\nnothing\n[A]\na = 1\n  2\n[${'n'.repeat(50)}]\n[A]\na = ${'x'.repeat(200)}`;
    const { errors, warnings, sectionAt } = parseIni(text);
    expect(errors).toEqual([
      { line: 1, problem: 'section without "]"' },
      { line: 2, problem: 'neither a section nor name = value' },
      { line: 8, problem: 'neither a section nor name = value' },
    ]);
    expect(warnings).toEqual([
      { line: 5, problem: 'continuation line: it replaces the value of a' },
      { line: 5, problem: 'a is also set in line 4: this value counts' },
      { line: 6, problem: `section name longer than 49 bytes: read as [${'n'.repeat(49)}]` },
      { line: 7, problem: 'the section [A] of line 3 continues here' },
      { line: 8, problem: 'longer than 198 bytes: the rest is read as another line' },
      { line: 8, problem: 'a is also set in line 5: this value counts' },
    ]);
    expect([1, 3, 6, 8].map(sectionAt)).toEqual([undefined, 'A', 'n'.repeat(49), 'A']);
  });
});
