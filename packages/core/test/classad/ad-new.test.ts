// Whole ads in new syntax, compared with recorded results: parsing and each printed form.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  parseAd,
  parseAdPrefix,
  printExpression,
  printLong,
  type AdExpr,
} from '../../src/classad/index.ts';

interface Case {
  id: string;
  text: string;
  parse_full: boolean;
  parse_prefix: boolean;
  unparse?: string;
  pretty?: string;
  long?: string;
}

const url = new URL('../../../../test-fixtures/golden/classad/ad-new.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] };

function attempt(parse: () => AdExpr): AdExpr | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

test.each(cases.map((one) => [one.id, one.text, one] as const))('%s %j', (id, text, one) => {
  const ad = attempt(() => parseAdPrefix(text).ad);
  const printed =
    ad === undefined
      ? {}
      : {
          unparse: printExpression(ad),
          pretty: printExpression(ad, { pretty: true }),
          long: printLong(ad, { order: 'name' }),
        };
  const full = attempt(() => parseAd(text)) !== undefined;
  expect({ id, text, parse_full: full, parse_prefix: ad !== undefined, ...printed }).toEqual(
    Object.fromEntries(Object.entries(one).filter(([key]) => key !== 'topic')),
  );
});
