// Which process numbers name a living process.
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { isAlive, isAliveElsewhere, runFile } from '../../../src/base/process/process.ts';
import { systemRandom } from '@credmon/core/base';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { programOf } from '../../store/child.ts';

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

it.each([
  ['a program that ends', 'true', [null, '']],
  ['a program that fails', 'false', [1, '']],
  ['no such program', 'no-such-program', ['ENOENT', '']],
  ['a program that is being replaced', 'busy', ['ETXTBSY', '']],
])('the end of %s is told later, and nothing is thrown', async (_, name, expected) => {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-busy-'));
  const busy = join(directory, 'busy');
  writeFileSync(busy, '#!/bin/sh\n', { mode: 0o755 });
  const writer = openSync(busy, 'r+');
  const path = `${directory}:${process.env['PATH'] ?? ''}`;
  const options = { encoding: 'utf8', env: { PATH: path } } as const;
  const ended = await new Promise((resolve) => {
    let isCalled = false;
    runFile(name, [], options, (error, output) =>
      resolve([isCalled ? (error?.code ?? null) : 'too early', output]),
    );
    isCalled = true;
  });
  closeSync(writer);
  rmSync(directory, { recursive: true });
  expect(ended).toEqual(expected);
});

/** Ends with code 3 while a call of the system hangs; `more` runs before. */
function exitWhileHanging(patience: number, more = ''): readonly unknown[] {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-exit-'));
  const fifo = join(directory, 'no-writer');
  spawnSync('mkfifo', [fifo]);
  const program = programOf(`
    import { open } from 'node:fs';
    import { spawn } from 'node:child_process';
    import { exitAtOnce } from './base/process/process.ts';
    const fifo = ${JSON.stringify(fifo)};
    open(fifo, 'r', () => undefined);
    ${more}
    setTimeout(() => exitAtOnce(3, true, ${patience}), 50);
  `);
  const child = spawnSync(process.execPath, ['--input-type=module', '-'], {
    input: program,
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
    killSignal: 'SIGTERM',
  });
  rmSync(directory, { recursive: true });
  return [child.status, child.signal, child.stderr];
}

it('R22 an exit does not wait for a call of the system that hangs in another thread', () => {
  // Without execve, a signal is the only way out.
  const withCode = 'execve' in process;
  expect(exitWhileHanging(1)).toEqual(withCode ? [3, null, ''] : [null, 'SIGKILL', '']);
});

it('R22 an exit has its code if the call returns soon', () => {
  const writer =
    "spawn('sh', ['-c', 'sleep 0.5; : > ' + fifo], { detached: true, stdio: 'ignore' });";
  expect(exitWhileHanging(PATIENCE, writer)).toEqual([3, null, '']);
});

/**
 * The largest heap, in multiples of what is in use, of a process that uses 20 MB for long and
 * replaces as much again and again, each object after some time; `first` runs before.
 */
function heapOf(first: string): number {
  const program = programOf(`
    import { collectEarly, keepHeapSmall } from './base/process/process.ts';
    ${first}
    const kept = Array.from({ length: 200_000 }, (_, n) => ({ n, next: [n] }));
    let largest = 0;
    for (let n = 0; n < 5_000_000; n += 1) {
      kept[(n * 7919) % kept.length] = { n, next: [n] };
      if (n % 50_000 === 0) largest = Math.max(largest, process.memoryUsage().heapTotal);
    }
    globalThis.gc();
    console.log(largest / process.memoryUsage().heapUsed, kept.length);
  `);
  const words = ['--expose-gc', '--input-type=module', '-'];
  const { stdout } = spawnSync(process.execPath, words, { input: program, encoding: 'utf8' });
  return Number.parseFloat(stdout);
}

it('R4 a heap of which most is garbage stays small', () => {
  expect(heapOf('keepHeapSmall(); collectEarly();')).toBeLessThan(0.5 * heapOf(''));
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
