// Whether a daemon is at work, told from its pid file.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { removeMarks, runningDaemon } from '../src/lifecycle.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-pid-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it.each([
  ['this process', `${process.pid}\n`, process.pid],
  ['no number', 'none\n', undefined],
  ['a process that is gone', '4194304\n', undefined],
])('a pid file with %s', (_, text, expected) => {
  writeFileSync(join(directory, 'pid'), text);
  expect(runningDaemon(directory)).toBe(expected);
});

it('no pid file', () => {
  expect(runningDaemon(directory)).toBeUndefined();
});

it("another user's daemon is at work, too, though it may not be signalled", () => {
  writeFileSync(join(directory, 'pid'), '1\n');
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  expect(runningDaemon(directory)).toBe(1);
  kill.mockRestore();
});

it('a mark that cannot be removed does not keep the other, and is said', () => {
  mkdirSync(join(directory, 'pid'));
  writeFileSync(join(directory, 'CREDMON_COMPLETE'), '');
  const said: string[] = [];
  removeMarks(directory, (text) => said.push(text));
  expect([readdirSync(directory), said]).toEqual([
    ['pid'],
    [expect.stringMatching(/^pid cannot be removed: EISDIR/) as string],
  ]);
});
