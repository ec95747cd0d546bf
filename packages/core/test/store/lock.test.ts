// One daemon for each directory: a second one is rejected with the holder's process id,
// and any death of the holder releases the lock.
import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LOCK_FILE } from '../../src/credential/file-names.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import { lockDirectory, type LockState } from '../../src/store/lock.ts';
import type { TokenChange } from '../../src/store/store.ts';
import { programOf } from './child.ts';
import { credentialDirectory, namesOf, put, TOP, USE } from './directory.ts';

/** Called before the name of the lock is checked. */
const hooks: { beforeLook?: (() => void) | undefined } = {};
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  return {
    ...real,
    lstatSync: (path: string, options?: object) => {
      if (path.endsWith('/.condor_credmon.lock')) hooks.beforeLook?.();
      return real.lstatSync(path, options as never);
    },
  };
});

let root: string;
let child: Child | undefined;
beforeEach(() => {
  root = credentialDirectory();
});
afterEach(() => {
  hooks.beforeLook = undefined;
  child?.signal('SIGKILL');
});

/** Starts another process that locks the directory, and waits for its lock. */
async function holder(): Promise<Child> {
  const program = programOf(`
    import { lockDirectory } from './store/lock.ts';
    lockDirectory(process.argv[2]);
    console.log('locked');
    setInterval(() => undefined, 1000);`);
  child = startProcess(
    process.execPath,
    ['--input-type=module', '-', root],
    {},
    { input: program },
  );
  await child.printed(/locked/);
  return child;
}

const attempt = (): unknown => {
  try {
    lockDirectory(root).release();
    return 'locked';
  } catch (error) {
    return error;
  }
};

describe('R10 the lock of a directory', () => {
  it('writes our process id into a file that only we may read, and can be released and taken again', () => {
    const { release } = lockDirectory(root);
    expect(readFileSync(join(root, LOCK_FILE), 'utf8')).toBe(`${process.pid}\n`);
    expect(statSync(join(root, LOCK_FILE)).mode & 0o7777).toBe(0o600);
    release();
    expect(attempt()).toBe('locked');
  });

  it('a second process is rejected with the holder; after kill -9 the lock is free at once', async () => {
    const other = await holder();
    expect(attempt()).toMatchObject({
      code: 'DIRECTORY_LOCKED',
      message: `process ${other.pid} already renews the tokens in ${root}; stop it first`,
      fields: { directory: root, pid: other.pid },
    });
    other.signal('SIGKILL');
    await other.exited;
    expect(attempt()).toBe('locked');
  });

  it('a second lock in the same process is rejected, too', () => {
    const { release } = lockDirectory(root);
    expect(attempt()).toMatchObject({ code: 'DIRECTORY_LOCKED', fields: { pid: process.pid } });
    release();
  });

  it('a file left by a dead daemon, with any text, is not a lock', () => {
    writeFileSync(join(root, LOCK_FILE), '1\nand more than we would write\n');
    const { release } = lockDirectory(root);
    expect(readFileSync(join(root, LOCK_FILE), 'utf8')).toBe(`${process.pid}\n`);
    release();
  });

  it('a holder without a recorded number is called another process', async () => {
    await holder();
    writeFileSync(join(root, LOCK_FILE), '');
    expect(attempt()).toMatchObject({
      code: 'DIRECTORY_LOCKED',
      message: expect.stringMatching(/^another process already/) as string,
      fields: { directory: root },
    });
  });

  it.each([
    ['a link', (path: string) => symlinkSync('/etc/hostname', path)],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ])('%s in its place is rejected, without following or waiting', (_, make) => {
    make(join(root, LOCK_FILE));
    expect(attempt()).toMatchObject({ code: 'CRED_DIR_INVALID' });
  });

  const replacements: readonly [string, LockState, () => void][] = [
    ['nothing', 'held', () => undefined],
    ['a change of its text and mode', 'held', () => writeFileSync(join(root, LOCK_FILE), 'text')],
    ['the removal of the lock file', 'file-replaced', () => rmSync(join(root, LOCK_FILE))],
    [
      'another lock file',
      'file-replaced',
      () => {
        renameSync(join(root, LOCK_FILE), join(root, 'old'));
        writeFileSync(join(root, LOCK_FILE), `${process.pid}\n`, { mode: 0o600 });
      },
    ],
    [
      'a link to the lock file',
      'file-replaced',
      () => {
        renameSync(join(root, LOCK_FILE), join(root, 'old'));
        symlinkSync('old', join(root, LOCK_FILE));
      },
    ],
    ['the removal of the directory', 'directory-replaced', () => rmSync(root, { recursive: true })],
    [
      'another directory with the same lock file',
      'directory-replaced',
      () => {
        renameSync(root, `${root}.old`);
        mkdirSync(root);
        linkSync(join(`${root}.old`, LOCK_FILE), join(root, LOCK_FILE));
      },
    ],
    [
      'a file in place of the directory',
      'directory-replaced',
      () => {
        rmSync(root, { recursive: true });
        writeFileSync(root, '');
      },
    ],
  ];
  it.each(replacements)('after %s it is %s', (_, state, replace) => {
    const lock = lockDirectory(root);
    replace();
    expect(lock.state()).toBe(state);
    lock.release();
  });

  it('a temporary disk error does not count as a replacement', () => {
    const lock = lockDirectory(root);
    const error = Object.assign(new Error('EIO'), { code: 'EIO' });
    hooks.beforeLook = () => {
      throw error;
    };
    expect(lock.state()).toBe('held');
    hooks.beforeLook = undefined;
    lock.release();
  });

  it('a lock file that is replaced while it is being locked is locked again', () => {
    hooks.beforeLook = () => {
      hooks.beforeLook = undefined;
      rmSync(join(root, LOCK_FILE));
    };
    const lock = lockDirectory(root);
    expect([lock.state(), attempt()]).toEqual([
      'held',
      expect.objectContaining({ code: 'DIRECTORY_LOCKED' }),
    ]);
    lock.release();
  });

  it('a store writes to the locked directory without its lock file, but never to another one', () => {
    const lock = lockDirectory(root);
    const store = openCredentialDirectory(root, { defaultLifetime: 1200, locked: true, lock });
    const change = (): TokenChange => ({
      user: 'alice',
      stem: 'mytok',
      from: store.read('alice', 'mytok').topIdentity,
      writes: [{ kind: 'use', text: USE, durable: false }],
    });
    const leftover = 'alice/.mytok.use.d1.1.credmon-tmp';
    put(root, 'alice/mytok.top', TOP);
    put(root, leftover, USE);
    rmSync(join(root, LOCK_FILE));
    store.apply(change());
    // The new holder of the lock may be writing it now.
    store.settle(leftover);
    expect(namesOf(root)).toEqual(['.mytok.use.d1.1.credmon-tmp', 'mytok.top', 'mytok.use']);
    renameSync(root, `${root}.old`);
    put(root, 'alice/mytok.top', TOP);
    expect(() => store.apply(change())).toThrow(
      expect.objectContaining({ code: 'CRED_SUPERSEDED' }),
    );
    expect(namesOf(root)).toEqual(['mytok.top']);
    lock.release();
  });

  it('a missing directory is rejected', () => {
    rmSync(root, { recursive: true });
    expect(attempt()).toMatchObject({
      code: 'CRED_DIR_INVALID',
      message: expect.stringContaining('ENOENT') as string,
    });
  });
});
