// Users of directory services that are slow, silent or broken: they are asked for beside
// everything else.
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createOwners } from '../../src/host/standing-files.ts';

const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

/** A getent that answers with `script` and counts its calls. */
function fakeGetent(script: string): { calls: () => number } {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-getent-'));
  const calls = join(folder, 'calls');
  writeFileSync(join(folder, 'getent'), `#!/bin/sh\necho call >> ${calls}\n${script}\n`);
  chmodSync(join(folder, 'getent'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  return {
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').length - 1 : 0),
  };
}

it('R1 R4 a name service that does not answer does not block the event loop', async () => {
  const { calls } = fakeGetent('exec sleep 600');
  const owners = createOwners();
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  turn();
  await owners.lookUp(['frontend', 'submit', 'frontend']);
  over = true;
  expect([owners.owner('frontend'), owners.owner('submit'), calls()]).toEqual([
    undefined,
    undefined,
    2,
  ]);
  // A blocked loop would have turned a few times only in the two seconds of each
  // time-out.
  expect(turns).toBeGreaterThan(100);
});

it('an existing user is found with one look-up', async () => {
  const { calls } = fakeGetent('echo "$3:x:1234:56::/:/bin/sh"');
  const owners = createOwners();
  await owners.lookUp(['alice']);
  await owners.lookUp(['alice']);
  expect([owners.owner('alice'), calls()]).toEqual([{ uid: 1234, gid: 56 }, 1]);
});

it('an unknown user is looked up again after a minute, then after two, up to an hour, in the background', async () => {
  const clock = { now: 0 };
  const asked: number[] = [];
  const owners = createOwners(
    () => clock.now * 1000,
    async () => {
      asked.push(clock.now);
      return undefined;
    },
  );
  for (; clock.now < 20_000; clock.now += 10) {
    await owners.lookUp(['nobody-yet']);
    await new Promise(setImmediate);
  }
  expect(asked).toEqual([0, 60, 180, 420, 900, 1860, 3780, 7380, 10_980, 14_580, 18_180]);
});

it('a look-up in the background does not delay', async () => {
  const clock = { now: 0 };
  const answers: (() => void)[] = [];
  const owners = createOwners(
    () => clock.now,
    () =>
      new Promise((resolve) =>
        answers.push(() => resolve(answers.length > 1 ? { uid: 7, gid: 7 } : undefined)),
      ),
  );
  const first = owners.lookUp(['late']);
  answers[0]?.();
  await first;
  clock.now += 60_000;
  await owners.lookUp(['late']);
  expect([owners.owner('late'), answers.length]).toEqual([undefined, 2]);
  answers[1]?.();
  await new Promise(setImmediate);
  expect(owners.owner('late')).toEqual({ uid: 7, gid: 7 });
});

it.each([
  ['nothing', 'exit 0'],
  ['a broken line', 'echo alice:x:abc:'],
])('an answer of %s is not a user', async (_, script) => {
  fakeGetent(script);
  const owners = createOwners();
  await owners.lookUp(['alice']);
  expect(owners.owner('alice')).toBeUndefined();
});
