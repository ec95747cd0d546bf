// The run directory on a real file system: owners, modes, and what is refused.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRunDirectory, pidNamespace, type RunDirectory } from '../../src/host/run-directory.ts';

const isRoot = process.geteuid?.() === 0;
const CONDOR = { uid: 64_000, gid: 64_000 };
let top: string;
let path: string;
let run: RunDirectory | undefined;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'credmon-run-'));
  path = join(top, 'credmon');
  run = undefined;
});
afterEach(() => {
  close();
  rmSync(top, { recursive: true });
});
const close = (): void => {
  run?.close();
  run = undefined;
};
const open = (): RunDirectory => {
  run = openRunDirectory(path, CONDOR);
  return run;
};
const modes = (): string[] =>
  ['', 'status', 'requests', 'results', 'taken'].map((name) =>
    (statSync(join(path, name)).mode & 0o7777).toString(8),
  );
const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };

it('has the modes that let users in, and let nobody list names, for any umask', () => {
  const umask = process.umask(0o077);
  try {
    open();
  } finally {
    process.umask(umask);
  }
  expect(modes()).toEqual(['755', '711', '1733', '711', '700']);
  close();
  for (const name of ['', 'status', 'requests', 'results', 'taken'])
    chmodSync(join(path, name), 0o750);
  open();
  expect(modes()).toEqual(['755', '711', '1733', '711', '700']);
});

it('is used by one daemon at a time', () => {
  open();
  expect(() => openRunDirectory(path, CONDOR)).toThrow(
    `the run directory ${path} is used by another condor_credmon (process ${process.pid}); fix: give each daemon its own CREDMON_RUN_DIR`,
  );
  close();
  open();
});

it('has a heartbeat that everyone can read, until it is closed', () => {
  const { beat } = open();
  beat('alive');
  expect(readFileSync(join(path, 'daemon.json'), 'utf8')).toBe('alive');
  expect(statSync(join(path, 'daemon.json')).mode & 0o7777).toBe(0o644);
  close();
  expect(existsSync(join(path, 'daemon.json'))).toBe(false);
});

it.each(['', 'status', 'requests', 'results', 'taken'])(
  'is not intact any more when "%s" was replaced, and then keeps what is there',
  (name) => {
    const { isIntact, beat } = open();
    beat('alive');
    expect(isIntact()).toBe(true);
    renameSync(join(path, name), join(top, 'old'));
    expect(isIntact()).toBe(false);
    mkdirSync(join(path, name));
    if (name === '') writeFileSync(join(path, 'daemon.json'), 'of another daemon');
    expect(isIntact()).toBe(false);
    close();
    expect(existsSync(join(path, 'daemon.json'))).toBe(true);
  },
);

describe('a status file', () => {
  it('is closed to all but its owner, and is replaced by rename', () => {
    const { statusFiles } = open();
    statusFiles.write('alice', 'one', own);
    const before = statSync(join(path, 'status/alice.json'));
    statusFiles.write('alice', 'two', own);
    const after = statSync(join(path, 'status/alice.json'));
    expect([after.mode & 0o7777, after.uid, after.ino === before.ino]).toEqual([
      0o400,
      own.uid,
      false,
    ]);
    expect(readdirSync(join(path, 'status'))).toEqual(['alice.json']);
  });

  it('is removed with its user, and so are left-over files', () => {
    const { statusFiles } = open();
    for (const user of ['alice', 'bob']) statusFiles.write(user, user, own);
    writeFileSync(join(path, 'status/.alice.json.1.1.credmon-tmp'), 'half');
    statusFiles.remove('bob');
    statusFiles.remove('bob');
    expect(readdirSync(join(path, 'status')).sort()).toEqual([
      '.alice.json.1.1.credmon-tmp',
      'alice.json',
    ]);
    statusFiles.keepOnly((user) => user === 'alice');
    expect(readdirSync(join(path, 'status'))).toEqual(['alice.json']);
  });

  it.runIf(isRoot)('belongs to its user', () => {
    open().statusFiles.write('alice', 'x', { uid: 64_001, gid: 64_002 });
    const { uid, gid } = statSync(join(path, 'status/alice.json'));
    expect([uid, gid]).toEqual([64_001, 64_002]);
  });
});

describe('is refused', () => {
  it('with a file or a link in place of a directory of its own', () => {
    mkdirSync(path);
    writeFileSync(join(path, 'status'), '');
    expect(open).toThrow(`${path} has status, which is not a directory; fix: rm ${path}/status`);
    rmSync(join(path, 'status'));
    symlinkSync(top, join(path, 'requests'));
    expect(open).toThrow('has requests, which is not a directory');
    // The lock was released.
    rmSync(join(path, 'requests'));
    open();
  });

  it.runIf(isRoot)('with a directory of a user in it', () => {
    mkdirSync(join(path, 'requests'), { recursive: true });
    chownSync(join(path, 'requests'), 64_001, 0);
    expect(open).toThrow(
      `${path} has requests, which belongs to user id 64001; fix: chown root ${path}/requests`,
    );
  });

  it.runIf(isRoot)('when a user could replace it', () => {
    chownSync(top, 64_001, 0);
    expect(open).toThrow(`the directory ${top} in its path is owned by user id 64001`);
  });

  it('where the directory above it is missing', () => {
    path = join(path, 'below');
    expect(open).toThrow('does not exist; fix: install -d -o root -m 0755');
    expect(existsSync(join(top, 'credmon'))).toBe(false);
  });
});

it('names the process namespace', () => expect(pidNamespace()).toMatch(/^pid:\[\d+\]$/));
