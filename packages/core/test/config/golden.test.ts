// All recorded results of condor_config_val: ok, value, defined, raw, typed and the
// cached output, compared exactly.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCase, type Case } from './golden-case.ts';

const fixtures = fileURLToPath(new URL('../../../../test-fixtures/golden/config', import.meta.url));
const topics = readdirSync(fixtures).filter(
  (name) => !name.startsWith('param-') && !name.startsWith('template-'),
);
const workingDirectory = process.cwd();
let root = '';

beforeAll(() => {
  root = mkdtempSync('/tmp/credmon-golden-');
});
afterAll(() => {
  process.chdir(workingDirectory);
  rmSync(root, { recursive: true, force: true });
});

describe.each(topics)('gives the results of condor_config_val 25.14.0: %s', (topic) => {
  const { cases } = JSON.parse(readFileSync(join(fixtures, topic), 'utf8')) as { cases: Case[] };
  // An unknown template ends HTCondor's reading and is a warning here: docs/decisions.md.
  test.each(cases.filter(({ id }) => id !== 'errors-006'))('$id $note', (golden) => {
    const { got, wanted } = runCase(golden, root);
    expect(got).toEqual(wanted);
  });
});
