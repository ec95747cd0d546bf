// Which process numbers name a living process.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isAlive, isAliveElsewhere } from '../../../src/base/process/process.ts';

const ended = spawnSync('true').pid;

it.each([
  ['this process', process.pid, true, false],
  ['its parent', process.ppid, true, true],
  ['a process that has ended', ended, false, false],
  ['a process group', -process.pid, false, false],
  ['every process of the group', 0, false, false],
  ['no number', Number.NaN, false, false],
  ['a fraction', 1.5, false, false],
])('%s', (_, pid, alive, elsewhere) => {
  expect([isAlive(pid), isAliveElsewhere(pid)]).toEqual([alive, elsewhere]);
});
