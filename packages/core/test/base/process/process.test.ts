// Which process numbers name a living process.
import { isAlive, isAliveElsewhere } from '../../../src/base/process/process.ts';
import { systemRandom } from '@credmon/core/base';
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

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

it.each([0, 1, 12, 24, 255, 256, 257, 5000])('%i bytes are as many as asked for', (bytes) => {
  expect(systemRandom(bytes)).toHaveLength(bytes);
});

it('no bytes are given twice, and what was given does not change', () => {
  const given = Array.from({ length: 2000 }, () => systemRandom(24));
  const texts = given.map((bytes) => Buffer.from(bytes).toString('hex'));
  expect(new Set(texts).size).toBe(2000);
  expect(given.every((bytes) => bytes.some((byte) => byte !== 0))).toBe(true);
  expect(given.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(texts);
});
