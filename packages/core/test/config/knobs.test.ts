// Each knob is declared once, completely, and docs/knobs.md and the code agree with that.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it, test } from 'vitest';
import defaults from '../../src/config/table/defaults.json' with { type: 'json' };
import {
  KNOBS,
  defaultText,
  type KnobDeclaration,
  type KnobType,
} from '../../src/config/typed/declarations.ts';
import { DEFAULT_SEND_LIMITS } from '../../src/base/http/send.ts';
import { createKnobReader, type KnobReader } from '../../src/config/typed/knob-reader.ts';
import { GROUP_ORDER, KNOB_GROUPS } from './knob-groups.ts';
import { defaultCell, groupOf, knobPage, knobUses, plainName, usesIn } from './knob-page.ts';
import { readText } from './read-text.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = join(root, 'docs/knobs.md');
const uses = knobUses(root, ['core', 'credmon', 'webserver', 'scitokens']);
const rows: readonly (readonly [string, KnobDeclaration])[] = Object.entries(KNOBS);
const declared = new Map(
  rows.flatMap(([name, knob]) =>
    [name, ...(knob.own === undefined ? [] : [knob.own])].map(
      (one) => [plainName(one), knob] as const,
    ),
  ),
);
const READERS = ['configuration', 'condor_credmon', 'condor_credential_storer', 'web server'];
const NUMBERS: readonly KnobType[] = ['integer', 'number', 'duration'];
const VALUES: Readonly<Record<KnobType, string>> = {
  string: 'string',
  path: 'string',
  list: 'object',
  boolean: 'boolean',
  integer: 'number',
  number: 'number',
  duration: 'number',
  'size or time': 'string',
};

/** What a declaration lacks, or has and must not have. */
function faultsOf(name: string, knob: KnobDeclaration): string[] {
  const { type, unit, min, max, readers, otherReaders, help } = knob;
  const isNumber = NUMBERS.includes(type);
  const value = knob.default;
  const faults: [boolean, string][] = [
    [!(type in VALUES), `type ${type}`],
    [isNumber !== (min !== undefined && max !== undefined), 'min and max'],
    [(isNumber || type === 'size or time') !== (unit !== undefined), 'unit'],
    [value !== undefined && typeof value !== VALUES[type], 'default of the type'],
    [typeof value === 'number' && (value < (min ?? 0) || value > (max ?? 0)), 'default in limits'],
    [readers.length === 0 || !readers.every((reader) => READERS.includes(reader)), 'readers'],
    [!Array.isArray(otherReaders), 'otherReaders'],
    [!/^[A-Za-z.*].*\.$/s.test(help), 'help as a sentence'],
    [knob.quotes !== undefined && !['meant', 'possible'].includes(knob.quotes), 'quotes'],
    [knob.own !== undefined && !/<[A-Z]+>/.test(knob.own), 'a place in own'],
  ];
  return faults.filter(([found]) => found).map(([, what]) => `${name}: ${what}`);
}

test('the page is made from the declarations (UPDATE_DOCS=1 writes it again)', async () => {
  const wanted = await format(knobPage(), { ...(await resolveConfig(page)), parser: 'markdown' });
  if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
  expect(existsSync(page) ? readFileSync(page, 'utf8') : '').toBe(wanted);
});

test('every knob is in a group, and every group is on the page and has knobs', () => {
  expect(rows.map(([name]) => name).filter((name) => groupOf(name) === undefined)).toEqual([]);
  const used = new Set(rows.map(([name]) => groupOf(name)?.title));
  expect(used).toEqual(new Set(KNOB_GROUPS.map(({ title }) => title)));
  expect(new Set(GROUP_ORDER)).toEqual(used);
});

test('every declaration has all columns', () => {
  expect(rows.flatMap(([name, knob]) => faultsOf(name, knob))).toEqual([]);
});

test('every knob that the code reads is declared (packages/core/src/config/typed/knobs.json)', () => {
  expect([...new Set(uses.map(({ name }) => name))].filter((name) => !declared.has(name))).toEqual(
    [],
  );
});

it.each([
  ["read.string('CREDMON_A')", 'CREDMON_A', 'string'],
  ["read.integer(knob('CREDMON_<PROVIDER>_A', name))", 'CREDMON_<>_A', 'integer'],
  ["read.path(ownKnob('CREDMON_A', name))", 'CREDMON_A', 'path'],
  ["read.list({ declared: 'CREDMON_<PROVIDER>_A', name })", 'CREDMON_<>_A', 'list'],
  ["config.get('CREDMON_A')", 'CREDMON_A', undefined],
  ['config.raw(`CREDMON_${name}_A`)', 'CREDMON_<>_A', undefined],
  ["config.origin('CREDMON_A')", 'CREDMON_A', undefined],
])('%s reads a knob', (text, name, method) => {
  expect(usesIn(text)).toContainEqual({ name, method });
});

test('every declared knob is read somewhere', () => {
  const read = new Set(uses.map(({ name }) => name));
  const seenOtherwise = new Set(['LOCAL_CONFIG_DIR_EXCLUDE_REGEXP']);
  expect(
    rows
      .map(([name]) => plainName(name))
      .filter((name) => !read.has(name) && !seenOtherwise.has(name)),
  ).toEqual([]);
});

test('a knob is read by the method of its type', () => {
  const wrong = uses.filter(({ name, method }) => {
    const type = declared.get(name)?.type;
    return method !== undefined && method !== (type === 'size or time' ? 'sizeOrTime' : type);
  });
  expect(wrong).toEqual([]);
});

test("a default that HTCondor's own table has is the declared one", () => {
  const own: Record<string, string> = defaults;
  const plain = rows.filter(([name]) => (own[name] ?? '') !== '' && !name.endsWith('_REGEXP'));
  expect(plain.map(([name, knob]) => [name, defaultCell(knob)])).toEqual(
    plain.map(([name]) => [name, own[name]]),
  );
});

test('a program without knobs has the time limits of one with knobs (R2)', () => {
  expect(DEFAULT_SEND_LIMITS).toMatchObject({
    connectSeconds: KNOBS.CREDMON_CONNECT_TIMEOUT.default,
    totalSeconds: KNOBS.CREDMON_REQUEST_TIMEOUT.default,
  });
});

describe('the reader', () => {
  const METHODS: Readonly<Record<KnobType, keyof KnobReader>> = {
    string: 'string',
    path: 'path',
    list: 'list',
    boolean: 'boolean',
    integer: 'integer',
    number: 'number',
    duration: 'duration',
    'size or time': 'sizeOrTime',
  };
  type Method = (knob: { declared: string; name: string }) => unknown;

  /** What a knob of this declaration is read as, and what is said of it. */
  const outcome = (declaredName: string, text: string, name = 'X'): [unknown, string] => {
    const read = createKnobReader(readText(text));
    const method = read[METHODS[KNOBS[declaredName as keyof typeof KNOBS].type]] as Method;
    const value = method({ declared: declaredName, name });
    try {
      read.finish();
      return [value, ''];
    } catch (error) {
      return [value, (error as Error).message.split('\n')[1] ?? ''];
    }
  };

  it.each(rows.filter(([, knob]) => knob.default !== undefined))(
    'gives the declared default of %s',
    (name, knob) => {
      const value =
        knob.type === 'size or time' ? { bytes: 10 * 2 ** 20 } : (knob.default ?? undefined);
      const macros = typeof value === 'string' && value.includes('$(');
      const expanded = (macro: string): string => readText('').get(macro.slice(2, -1)) ?? macro;
      expect(outcome(name, '')).toEqual([
        macros
          ? value
              .replace('$(FULL_HOSTNAME)', 'ap.example.test')
              .replaceAll(/\$\([A-Z]+\)/g, expanded)
          : value,
        '',
      ]);
      expect(outcome(name, `X = ${defaultText(knob)}\n`)[1]).toBe('');
    },
  );

  it.each(rows.filter(([, { min }]) => min !== undefined))(
    'keeps %s within its limits',
    (name, { min = 0, max = 0 }) => {
      expect(outcome(name, `X = ${min}\n`)).toEqual([min, '']);
      expect(outcome(name, `X = ${max}\n`)).toEqual([max, '']);
      expect(outcome(name, `X = 0 - 1\n`)[1]).toContain(
        `X = 0 - 1 is too small: must be at least ${min}`,
      );
      expect(outcome(name, `X = ${max + 1}\n`)[1]).toContain(
        `X = ${max + 1} is too large: must be at most ${max}`,
      );
    },
  );
});
