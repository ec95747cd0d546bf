// What `check` says about the directory of the users' own view.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkUserView } from '../../src/checks/run-directory.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const found = (knobs: Readonly<Record<string, string>>): Promise<string[]> =>
  on.findings(knobs, async ({ settings }) => [checkUserView(settings)]);

it.each([
  ['none', "ok users' view: off: users cannot see their own tokens"],
  ['$R/run', "ok users' view: users see their own tokens, from $R/run"],
  ['$R/new', "ok users' view: $R/new is missing: the daemon creates it"],
  [
    '$R/no/where',
    "warning users' view: users cannot see their own tokens: the run directory $R/no/where does not exist; fix: install -d -o root -m 0755 $R/no/where",
  ],
  [
    '$R/open',
    "warning users' view: users cannot see their own tokens: the run directory $R/open has mode 0777: every user can write to it; fix: chmod o-w $R/open",
  ],
])('CREDMON_RUN_DIR = %s: %s', async (knob, expected) => {
  mkdirSync(join(on.root, 'run'));
  mkdirSync(join(on.root, 'open'));
  chmodSync(join(on.root, 'open'), 0o777);
  expect(await found({ CREDMON_RUN_DIR: knob.replace('$R', on.root) })).toEqual([expected]);
});
