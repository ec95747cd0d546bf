// What `check` says about the directory of the users' own view.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkTokenGroup, checkUserView, type FileSystem } from '../../src/host/run-directory.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => on.close());

const found = (knobs: Readonly<Record<string, string>>): Promise<string[]> =>
  on.findings(knobs, async (context) => [checkUserView(context)]);

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

it.each<readonly [string, FileSystem | undefined, FileSystem | undefined, boolean]>([
  ['on the tmpfs of /run', { device: 1, isMemory: true }, { device: 1, isMemory: true }, true],
  ['on a tmpfs of its own', { device: 2, isMemory: true }, { device: 1, isMemory: true }, false],
  ['on the disk of /run', { device: 1, isMemory: false }, { device: 1, isMemory: false }, false],
  ['where /run cannot be read', { device: 1, isMemory: true }, undefined, false],
])('a directory %s: whether users can fill /run', async (_, own, run, isWarned) => {
  mkdirSync(join(on.root, 'run'));
  for (const name of ['run', 'new']) {
    const findings = await on.findings(
      { CREDMON_RUN_DIR: join(on.root, name) },
      async (context) => [checkUserView(context, (path) => (path === '/run' ? run : own))],
    );
    const text = `warning users' view: users can fill /run through $R/${name}/requests: both are in the same tmpfs; fix: set CREDMON_RUN_DIR to a directory on a disk, for example /var/lib/condor_credmon`;
    expect(findings.includes(text)).toBe(isWarned);
  }
});

it('the default in the tmpfs of /run is no warning: the sentence names the risk', async () => {
  const shared = { device: 1, isMemory: true };
  const look = (name: string): Promise<string[]> =>
    on.findings({ RUN: join(on.root, name) }, async (context) => [
      checkUserView(context, () => shared),
    ]);
  mkdirSync(join(on.root, 'there', 'credmon'), { recursive: true });
  mkdirSync(join(on.root, 'new'));
  const risk =
    'in the tmpfs of /run, which users can fill; if users are not trusted, set CREDMON_RUN_DIR to a directory on a disk, for example /var/lib/condor_credmon';
  expect([await look('there'), await look('new')]).toEqual([
    [`ok users' view: users see their own tokens, from $R/there/credmon, ${risk}`],
    [`ok users' view: $R/new/credmon is missing: the daemon creates it, ${risk}`],
  ]);
});

it.each([
  [{}, []],
  [
    { CREDMON_TOKEN_GROUP: 'daemon' },
    ['ok condor_credmon token: members of the group daemon get tokens from the daemon'],
  ],
  [
    { CREDMON_TOKEN_GROUP: 'no-such-group-here' },
    [
      'error condor_credmon token: the group no-such-group-here does not exist (CREDMON_TOKEN_GROUP): nobody but root gets a token; fix: groupadd no-such-group-here',
    ],
  ],
  [
    { CREDMON_TOKEN_GROUP: 'daemon', CREDMON_RUN_DIR: 'none' },
    [
      'error condor_credmon token: CREDMON_RUN_DIR = none: the members of the group daemon (CREDMON_TOKEN_GROUP) cannot ask for tokens',
    ],
  ],
])('the group whose members get tokens: %j', async (knobs, expected) => {
  const findings = await on.findings(knobs, async ({ settings }) => checkTokenGroup(settings));
  expect(findings).toEqual(expected);
});
