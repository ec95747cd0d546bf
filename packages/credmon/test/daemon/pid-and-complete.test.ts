// Whether a daemon is at work, told from its pid file.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from '@credmon/core/store';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  clearComplete,
  removeMarks,
  restorePid,
  runningDaemon,
  touchComplete,
  writePid,
} from '../../src/daemon/pid-and-complete.ts';

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

it('a daemon whose pid file was removed or names another process is found by its lock', () => {
  const lock = lockDirectory(directory);
  for (const text of [undefined, 'none\n', '4194304\n']) {
    if (text !== undefined) writeFileSync(join(directory, 'pid'), text);
    expect(runningDaemon(directory)).toBe(process.pid);
  }
  lock.release();
  expect(runningDaemon(directory)).toBeUndefined();
});

it('a removed pid file is written again, any other pid file is unchanged', () => {
  expect(restorePid(directory)).toBe(true);
  expect(text('pid')).toBe(`${process.pid}\n`);
  expect(restorePid(directory)).toBe(false);
  writeFileSync(join(directory, 'pid'), '1\n');
  expect(restorePid(directory)).toBe(false);
  expect(text('pid')).toBe('1\n');
});

it("another user's daemon counts as running, though it cannot be signalled", () => {
  writeFileSync(join(directory, 'pid'), '1\n');
  const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
  });
  expect(runningDaemon(directory)).toBe(1);
  kill.mockRestore();
});

it('if one of pid and CREDMON_COMPLETE cannot be removed, the other is, with a warning', () => {
  mkdirSync(join(directory, 'pid'));
  writeFileSync(join(directory, 'CREDMON_COMPLETE'), '');
  const said: string[] = [];
  removeMarks(directory, (text) => said.push(text));
  expect([readdirSync(directory), said]).toEqual([
    ['pid'],
    [expect.stringMatching(/^cannot remove pid: EISDIR/) as string],
  ]);
});

const at = (name: string): string => join(directory, name);
const COMPLETE = 'CREDMON_COMPLETE';
const text = (name: string): string => readFileSync(at(name), 'utf8');

it('pid and CREDMON_COMPLETE of another process are not removed', () => {
  writeFileSync(at('pid'), `${process.ppid}\n`);
  writeFileSync(at(COMPLETE), '');
  removeMarks(directory, fail);
  expect(readdirSync(directory)).toEqual([COMPLETE, 'pid']);
});

it('our own pid and CREDMON_COMPLETE are removed; a directory that is gone is no error', () => {
  writePid(directory);
  touchComplete(directory, fail);
  expect(readdirSync(directory)).toEqual([COMPLETE, 'pid']);
  removeMarks(directory, fail);
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
  removeMarks(directory, fail);
});

it.each<[string, () => void]>([
  ['a FIFO', () => spawnSync('mkfifo', [at('pid')])],
  ['a link to /dev/zero', () => symlinkSync('/dev/zero', at('pid'))],
  ['a link to a file with our number', () => symlinkSync('other', at('pid'))],
  [
    'a file of 1 GiB',
    () => {
      writeFileSync(at('pid'), '');
      truncateSync(at('pid'), 2 ** 30);
    },
  ],
])(
  'a pid file that is %s gives no daemon, does not block, and causes a warning at shutdown',
  (_, make) => {
    writeFileSync(at('other'), `${process.pid}\n`);
    make();
    expect(runningDaemon(directory)).toBeUndefined();
    const said: string[] = [];
    removeMarks(directory, (line) => said.push(line));
    expect(said).toEqual([
      expect.stringMatching(/^cannot remove pid: \/\S+\/pid is .*; fix: rm \/\S+\/pid$/),
    ]);
    expect(readdirSync(directory)).toEqual(['other', 'pid']);
    writePid(directory);
    expect([runningDaemon(directory), text('pid'), text('other')]).toEqual([
      process.pid,
      `${process.pid}\n`,
      `${process.pid}\n`,
    ]);
  },
);

it.each<[string, () => void]>([
  ['a FIFO', () => spawnSync('mkfifo', [at(COMPLETE)])],
  ['a link', () => symlinkSync('other', at(COMPLETE))],
  ['a dangling link', () => symlinkSync('elsewhere', at(COMPLETE))],
  ['a hard link to another file', () => linkSync(at('other'), at(COMPLETE))],
])(
  'CREDMON_COMPLETE that is %s is replaced without a change of its target, with one warning',
  (_, make) => {
    writeFileSync(at('other'), 'keep');
    utimesSync(at('other'), 1000, 1000);
    make();
    const said: string[] = [];
    touchComplete(directory, (line) => said.push(line));
    touchComplete(directory, (line) => said.push(line));
    expect(said).toEqual([
      expect.stringContaining(`${at(COMPLETE)} was not a regular file with a single link`),
    ]);
    expect([readdirSync(directory), statSync(at('other')).mtimeMs]).toEqual([
      [COMPLETE, 'other'],
      1_000_000,
    ]);
    expect([
      lstatSync(at(COMPLETE)).isFile(),
      lstatSync(at(COMPLETE)).nlink,
      text(COMPLETE),
    ]).toEqual([true, 1, '']);
  },
);

it('CREDMON_COMPLETE that is a directory is an error with the fix', () => {
  mkdirSync(at(COMPLETE));
  const error = `EISDIR: ${at(COMPLETE)} is a directory; fix: rm -r ${at(COMPLETE)}`;
  expect(() => touchComplete(directory, fail)).toThrow(error);
  expect(() => clearComplete(directory)).toThrow(error);
});

it('a credential directory that was replaced by a link is not entered', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'credmon-elsewhere-'));
  const parent = mkdtempSync(join(tmpdir(), 'credmon-parent-'));
  chmodSync(parent, 0o777);
  symlinkSync(elsewhere, join(parent, 'creds'));
  const creds = join(parent, 'creds');
  expect(() => writePid(creds)).toThrow('is a symbolic link that another user could change');
  expect(() => touchComplete(creds, fail)).toThrow(
    'is a symbolic link that another user could change',
  );
  expect(runningDaemon(creds)).toBeUndefined();
  expect(readdirSync(elsewhere)).toEqual([]);
  for (const path of [elsewhere, parent]) rmSync(path, { recursive: true });
});

function fail(line: string): void {
  throw new Error(line);
}
