// Whole texts of ads in both forms, compared with recorded results of HTCondor's Python
// module: every reader, every printed form, every value.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  evaluate,
  printExpression,
  printLong,
  readAds,
  readFirstAd,
  readMergedAd,
  textOf,
  type AdExpr,
  type ReadAdsOptions,
  type Value,
} from '../../src/classad/index.ts';

interface Shown {
  attrs: [string, string][];
  repr: string;
  long: string;
}
type Failure = { error: string };
type Ads = { ads: Shown[]; error?: string };
interface Case {
  id: string;
  text: string;
  parseAdsAuto: Ads;
  parseAdsOld: Ads | string;
  parseAdsNew: Ads | string;
  parseOne: Shown | Failure | string;
  parseNext: Shown | Failure | string;
  values?: Record<string, { py: string; v?: unknown }>;
  without_htcondor2?: Partial<Case>;
}

const url = new URL('../../../../test-fixtures/golden/classad/ad-long.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] };

const lower = (name: string): string => name.toLowerCase();

function shown(ad: AdExpr): Shown {
  const attrs = [...ad.entries.values()].map(({ name, expr }): [string, string] => [
    textOf(name),
    printExpression(expr, { pretty: true }),
  ]);
  attrs.sort(([a], [b]) => (lower(a) < lower(b) ? -1 : 1));
  return { attrs, repr: printExpression(ad), long: printLong(ad, { like: 'python' }) };
}

function all(text: string, options: ReadAdsOptions): Ads {
  const ads: Shown[] = [];
  try {
    for (const ad of readAds(text, options)) ads.push(shown(ad));
  } catch {
    return { ads, error: 'ValueError' };
  }
  return { ads };
}

function one(read: () => AdExpr | undefined): Shown | Failure {
  try {
    const ad = read();
    return ad === undefined ? { error: 'AttributeError' } : shown(ad);
  } catch {
    return { error: 'ValueError' };
  }
}

const PYTHON: Readonly<Record<Value['type'], string>> = {
  undefined: 'Value',
  error: 'Value',
  boolean: 'bool',
  integer: 'int',
  real: 'float',
  string: 'str',
  list: 'list',
  classad: 'ClassAd',
  abstime: 'datetime',
  reltime: 'float',
};

function python(value: Value): { py: string; v?: unknown } {
  const py = PYTHON[value.type];
  if (value.type === 'undefined') return { py, v: 'Undefined' };
  if (value.type === 'error') return { py, v: 'Error' };
  if (value.type === 'integer') return { py, v: Number(value.value) };
  if (value.type === 'string') return { py, v: textOf(value.value) };
  return 'value' in value ? { py, v: value.value } : { py };
}

const values = (ad: AdExpr): Record<string, unknown> =>
  Object.fromEntries(
    [...ad.entries.values()].map(({ name, expr }) => [
      textOf(name),
      python(evaluate(expr, { my: ad, now: 0 })),
    ]),
  );

/** Resolves the recording's `same as ...`. */
function resolved<T>(field: T | string, auto: Ads): T | Ads | Shown | undefined {
  if (field === 'same as parseAdsAuto') return auto;
  return field === 'same as first ad of parseAdsAuto' ? auto.ads[0] : (field as T);
}

test.each(cases.map((one) => [one.id, one.text, one] as const))('%s %j', (_id, text, recorded) => {
  const auto = all(text, {});
  expect(auto).toEqual(recorded.parseAdsAuto);
  expect(all(text, { form: 'lines' })).toEqual(resolved(recorded.parseAdsOld, auto));
  expect(all(text, { form: 'new' })).toEqual(resolved(recorded.parseAdsNew, auto));
  const merged = one(() => readMergedAd(text));
  expect(merged).toEqual(resolved(recorded.parseOne, auto));
  expect(one(() => readFirstAd(text))).toEqual(resolved(recorded.parseNext, auto));
  const { values: known, without_htcondor2: library } = recorded;
  expect(known === undefined ? known : values(readMergedAd(text))).toEqual(known);
  const autoAlone = library === undefined ? library : all(text, { semantics: 'new' });
  expect(autoAlone).toEqual(library?.parseAdsAuto);
});
