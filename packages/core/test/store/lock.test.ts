// One daemon for one directory: the second is refused by name, and death of any kind frees the place.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOCK_FILE } from '../../src/credential/layout.ts';
import { lockDirectory } from '../../src/store/lock.ts';
import { programOf } from './child.ts';
import { credentialDirectory } from './directory.ts';

let root: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  root = credentialDirectory();
});
afterEach(() => {
  child?.kill('SIGKILL');
});

/** Starts another process that locks the directory, and waits until it has. */
async function holder(): Promise<ChildProcess> {
  const program = programOf(`
    import { lockDirectory } from './store/lock.ts';
    lockDirectory(process.argv[2]);
    console.log('locked');
    setInterval(() => undefined, 1000);`);
  const started = spawn(process.execPath, ['--input-type=module', '-', root], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = started;
  started.stdin.end(program);
  await new Promise((resolve) => started.stdout.once('data', resolve));
  return started;
}

const attempt = (): unknown => {
  try {
    lockDirectory(root)();
    return 'locked';
  } catch (error) {
    return error;
  }
};

describe('R10 the lock of a directory', () => {
  it('holds our process id in a file that only we may read, and can be given back and taken again', () => {
    const unlock = lockDirectory(root);
    expect(readFileSync(join(root, LOCK_FILE), 'utf8')).toBe(`${process.pid}\n`);
    expect(statSync(join(root, LOCK_FILE)).mode & 0o7777).toBe(0o600);
    unlock();
    expect(attempt()).toBe('locked');
  });

  it('a second process is refused and told who holds it; after kill -9 the lock is free at once', async () => {
    const other = await holder();
    expect(attempt()).toMatchObject({
      code: 'DIRECTORY_LOCKED',
      message: `process ${other.pid} already renews the tokens in ${root}; stop it first`,
      fields: { directory: root, pid: other.pid },
    });
    const gone = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    expect(attempt()).toBe('locked');
  });

  it('two in one process are refused as well', () => {
    const unlock = lockDirectory(root);
    expect(attempt()).toMatchObject({ code: 'DIRECTORY_LOCKED', fields: { pid: process.pid } });
    unlock();
  });

  it('a file left by a dead daemon, with any text, is no lock', () => {
    writeFileSync(join(root, LOCK_FILE), '1\nand more than we would write\n');
    const unlock = lockDirectory(root);
    expect(readFileSync(join(root, LOCK_FILE), 'utf8')).toBe(`${process.pid}\n`);
    unlock();
  });

  it('a holder who left no number is another process', async () => {
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
  ])('%s in its place is refused, not followed, not waited for', (_, make) => {
    make(join(root, LOCK_FILE));
    expect(attempt()).toMatchObject({ code: 'CRED_DIR_INVALID' });
  });

  it('a directory that is not there is refused', () => {
    rmSync(root, { recursive: true });
    expect(attempt()).toMatchObject({
      code: 'CRED_DIR_INVALID',
      message: expect.stringContaining('ENOENT') as string,
    });
  });
});
