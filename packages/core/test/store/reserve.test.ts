// The reserved disk space: really allocated, released at once, never through a link, and
// only by the holder of the lock.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CodedError } from '../../src/base/errors/errors.ts';
import { RESERVE_FILE } from '../../src/credential/file-names.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { LockState } from '../../src/store/lock.ts';
import { openReserve, SMALLEST_RESERVE, type Reserve } from '../../src/store/reserve.ts';
import { isRoot, mayMount } from '../base/privileges.ts';
import { credentialDirectory, NOW, put, putToken, TOP, USE } from './directory.ts';

/** The error of every write to a temporary file, if set. */
const disk: { refuses: string | undefined } = { refuses: undefined };
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  return {
    ...real,
    openSync: (path: string, ...rest: [number, number?]) => {
      if (disk.refuses !== undefined && path.endsWith('.credmon-tmp'))
        throw Object.assign(new Error(disk.refuses), { code: disk.refuses });
      return real.openSync(path, ...rest);
    },
  };
});

let root: string;
let state: LockState;
let reserve: Reserve;
const path = (): string => join(root, RESERVE_FILE);
beforeEach(() => {
  root = credentialDirectory();
  state = 'held';
  disk.refuses = undefined;
  reserve = openReserve(root, { state: () => state });
});

/** Runs `act` with a file system of `size` mounted on the directory. */
async function onDisk(size: string, act: () => Promise<void>): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'none', root]);
  try {
    await act();
  } finally {
    execFileSync('umount', ['--lazy', root]);
  }
}

describe('R13 the reserve', () => {
  it('allocates its space with incompressible bytes, 0600, and is kept', async () => {
    expect(await reserve.keep(300_000)).toEqual({ bytes: 300_000 });
    const { size, mode, blocks, ino } = statSync(path());
    expect([size, (mode & 0o7777).toString(8), blocks * 512 >= size]).toEqual([
      300_000,
      '600',
      true,
    ]);
    expect(gzipSync(readFileSync(path())).length).toBeGreaterThan(size);
    expect(await reserve.keep(300_000)).toEqual({ bytes: 300_000 });
    expect(await openReserve(root, { state: () => state }).keep(200_000)).toEqual({
      bytes: 300_000,
    });
    expect(statSync(path()).ino).toBe(ino);
    expect(await reserve.keep(400_000)).toEqual({ bytes: 400_000 });
    expect(statSync(path()).size).toBe(400_000);
  });

  it('is released once, and created again', async () => {
    expect(reserve.release()).toBe(false);
    await reserve.keep(300_000);
    expect([reserve.release(), existsSync(path()), reserve.release()]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await reserve.keep(300_000)).toEqual({ bytes: 300_000 });
  });

  it('is released while it is being created', async () => {
    const kept = reserve.keep(50_000_000);
    expect([reserve.release(), existsSync(path())]).toEqual([true, false]);
    expect(await kept).toEqual({ bytes: 0, why: 'the disk is full' });
    expect(existsSync(path())).toBe(false);
  });

  it('yields to the event loop while it is being created', async () => {
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    await reserve.keep(50_000_000);
    over = true;
    expect(turns).toBeGreaterThan(2);
  });

  it('R10 is not touched without the lock', async () => {
    await reserve.keep(300_000);
    state = 'file-replaced';
    expect([reserve.release(), await reserve.keep(500_000), statSync(path()).size]).toEqual([
      false,
      { bytes: 500_000 },
      300_000,
    ]);
  });

  it('is neither a token nor a leftover for a scan', async () => {
    await reserve.keep(300_000);
    const scan = await openCredentialDirectory(root, { defaultLifetime: 1200, locked: true }).scan(
      NOW,
    );
    expect(scan).toEqual({ tokens: [], keyFiles: [], temporaries: [], problems: [] });
  });
});

describe('R26 another file with the name of the reserve', () => {
  const victim = (): string => join(root, 'victim');
  const foreign: readonly [string, () => void][] = [
    ['a link', () => symlinkSync('victim', path())],
    ['a hard link', () => linkSync(victim(), path())],
    ['a FIFO', () => void execFileSync('mkfifo', [path()])],
    ['an empty file', () => writeFileSync(path(), '', { mode: 0o600 })],
    [
      'a sparse file',
      () => {
        writeFileSync(path(), '', { mode: 0o600 });
        truncateSync(path(), 300_000);
      },
    ],
    [
      'a file that others can read',
      () => writeFileSync(path(), Buffer.alloc(300_000, 1), { mode: 0o644 }),
    ],
  ];
  it.each(foreign)('%s is replaced, without following or waiting', async (_, make) => {
    writeFileSync(victim(), Buffer.alloc(300_000, 1), { mode: 0o600 });
    make();
    expect(await reserve.keep(300_000)).toEqual({ bytes: 300_000 });
    expect([lstatSync(path()).isFile(), statSync(path()).blocks * 512 >= 300_000]).toEqual([
      true,
      true,
    ]);
    expect(readFileSync(victim())).toEqual(Buffer.alloc(300_000, 1));
  });

  it.each(foreign.slice(0, 3))('%s is not truncated when space is needed', (_, make) => {
    writeFileSync(victim(), Buffer.alloc(300_000, 1), { mode: 0o600 });
    make();
    expect(reserve.release()).toBe(false);
    expect(statSync(victim()).size).toBe(300_000);
  });

  it.skipIf(!isRoot)('a file of another user is replaced', async () => {
    writeFileSync(path(), Buffer.alloc(300_000, 1), { mode: 0o600 });
    execFileSync('chown', ['65534', path()]);
    expect(await reserve.keep(300_000)).toEqual({ bytes: 300_000 });
    expect(statSync(path()).uid).toBe(process.geteuid?.());
  });

  it('a directory is kept and reported', async () => {
    mkdirSync(path());
    expect(await reserve.keep(300_000)).toEqual({
      bytes: 0,
      why: expect.stringMatching(/^(?:EISDIR|EPERM)$/) as string,
    });
    expect(reserve.release()).toBe(false);
  });
});

describe.skipIf(!mayMount)('R13 on a small disk', () => {
  it('leaves some space, takes what is available, and grows when space is available again', () =>
    onDisk('1m', async () => {
      put(root, 'filler', Buffer.alloc(600_000));
      const short = await reserve.keep(800_000);
      expect(short.bytes).toBeGreaterThanOrEqual(SMALLEST_RESERVE);
      expect(short.bytes).toBeLessThan(800_000);
      expect(short.why).toMatch(/bytes free$/);
      const { ino } = statSync(path());
      expect([await reserve.keep(800_000), statSync(path()).ino]).toEqual([
        { bytes: short.bytes, why: expect.any(String) as string },
        ino,
      ]);
      rmSync(join(root, 'filler'));
      expect((await reserve.keep(700_000)).bytes).toBe(700_000);
    }));

  it('is not created if the disk is too small, and the free space is reported', () =>
    onDisk('256k', async () => {
      expect(await reserve.keep(300_000)).toEqual({ bytes: 0, why: '262144 bytes free' });
      expect(existsSync(path())).toBe(false);
    }));

  it('a rotated .top without space for it gets the reserved space, also the only inode', async () => {
    for (const limit of ['1m', '1m,nr_inodes=7'])
      await onDisk(limit, async () => {
        const store = openCredentialDirectory(root, {
          defaultLifetime: 1200,
          locked: true,
          reserve,
        });
        putToken(root, 'alice', 'mytok');
        await reserve.keep(SMALLEST_RESERVE);
        spawnSync('dd', ['if=/dev/zero', `of=${join(root, 'filler')}`, 'bs=4k'], {
          stdio: 'ignore',
        });
        const top = TOP.replace('rt', 'rotated');
        const from = store.read('alice', 'mytok').topIdentity;
        store.apply({
          user: 'alice',
          stem: 'mytok',
          from,
          writes: [
            { kind: 'top', text: top, durable: true },
            { kind: 'renewal', text: undefined, durable: false },
          ],
        });
        expect([readFileSync(join(root, 'alice/mytok.top'), 'utf8'), existsSync(path())]).toEqual([
          top,
          false,
        ]);
      });
  });
});

describe('R13 when a change gets a disk error', () => {
  const cases = [
    ['ENOSPC', 'top', true],
    ['EDQUOT', 'top', true],
    ['EIO', 'top', false],
    ['ENOSPC', 'use', false],
  ] as const;
  it.each(cases)('%s for .%s: the reserve is released: %s', (error, kind, isReleased) => {
    let released = false;
    const release = (): boolean => {
      released = true;
      disk.refuses = undefined;
      return true;
    };
    const store = openCredentialDirectory(root, {
      defaultLifetime: 1200,
      locked: true,
      reserve: { release },
    });
    putToken(root, 'alice', 'mytok');
    const from = store.read('alice', 'mytok').topIdentity;
    const text = kind === 'top' ? TOP : USE;
    disk.refuses = error;
    let code: unknown = 'written';
    try {
      store.apply({ user: 'alice', stem: 'mytok', from, writes: [{ kind, text, durable: true }] });
    } catch (refused) {
      ({ code } = refused as CodedError);
    }
    expect([released, code]).toEqual([isReleased, isReleased ? 'written' : 'CRED_FILE_IO']);
  });
});
