// docs/knobs.md, the table of knobs and the code say the same.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import defaults from '../../src/config/table/defaults.json' with { type: 'json' };
import knobs from '../../src/config/typed/knobs.json' with { type: 'json' };
import { knobPage, knobUses, plainName } from './knob-page.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = join(root, 'docs/knobs.md');
const uses = knobUses(root, ['core', 'credmon', 'webserver', 'scitokens']);
const table = new Map(knobs.map((knob) => [plainName(knob.name), knob]));

/** Which types of the table a reading method may have. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  string: ['text'],
  path: ['path'],
  list: ['list'],
  boolean: ['boolean'],
  integer: ['integer', 'seconds'],
  real: ['real'],
  logLimit: ['size or time'],
  bytes: ['size'],
  seconds: ['seconds'],
};

test('the page is the table (UPDATE_DOCS=1 writes it again)', async () => {
  const wanted = await format(knobPage(), { ...(await resolveConfig(page)), parser: 'markdown' });
  if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
  expect(existsSync(page) ? readFileSync(page, 'utf8') : '').toBe(wanted);
});

test('every knob that the code reads is in the table (packages/core/src/config/typed/knobs.json)', () => {
  expect([...new Set(uses.map(({ name }) => name))].filter((name) => !table.has(name))).toEqual([]);
});

test('every knob of the table is read somewhere', () => {
  const read = new Set(uses.map(({ name }) => name));
  const seenOtherwise = new Set([
    '<>_CLIENT_ID',
    'LOCAL_CONFIG_DIR_EXCLUDE_REGEXP',
    'CREDMON_<>_CLIENT_AUTH',
  ]);
  expect([...table.keys()].filter((name) => !read.has(name) && !seenOtherwise.has(name))).toEqual(
    [],
  );
});

test('a knob is read as the type that the table says', () => {
  const wrong = uses.filter(({ name, method }) => {
    const type = table.get(name)?.type ?? '';
    return method !== undefined && !(TYPES[method] ?? []).includes(type);
  });
  expect(wrong).toEqual([]);
});

test('a default that is in the code as a number or boolean is the one of the table', () => {
  const wrong = uses.filter(
    ({ name, fallback }) => fallback !== undefined && fallback !== table.get(name)?.default,
  );
  expect(wrong).toEqual([]);
});

test("a default that HTCondor's own table has is the one of the table", () => {
  const own: Record<string, string> = defaults;
  const plain = knobs.filter(({ name }) => (own[name] ?? '') !== '' && !name.endsWith('_REGEXP'));
  expect(plain.map((knob) => [knob.name, knob.default])).toEqual(
    plain.map((knob) => [knob.name, own[knob.name]]),
  );
});
