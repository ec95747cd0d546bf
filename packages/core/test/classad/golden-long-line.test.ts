// Single `Name = value` lines, compared with recorded results.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  makeAd,
  parseLongLine,
  printExpression,
  printLong,
  type AdExpr,
} from '../../src/classad/index.ts';

interface Case {
  id: string;
  topic: string;
  line: string;
  ok: boolean;
  unparse: string;
  long: string;
}

const url = new URL('../../../../test-fixtures/golden/classad/long-line.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] };

function attempt(line: string): AdExpr | undefined {
  try {
    return makeAd([parseLongLine(line)]);
  } catch {
    return undefined;
  }
}

test.each(cases.map((one) => [one.id, one.line, one] as const))('%s %j', (id, line, one) => {
  const read = attempt(line);
  const ad = read ?? makeAd([]);
  const answer = { ok: read !== undefined, unparse: printExpression(ad), long: printLong(ad) };
  expect({ id, topic: 'long-line', line, ...answer }).toEqual(one);
});
