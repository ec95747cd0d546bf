// Changes of a real directory: their order, what stops them, and the result of a full or
// broken disk.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { identityOf, type FileIdentity } from '../../src/credential/snapshot.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import { restOf } from '../../src/store/progress.ts';
import type { CredentialStore, TokenChange } from '../../src/store/store.ts';
import { isRoot, makeReadOnly, mayMount, onSmallDisk } from '../base/privileges.ts';
import { programOf } from './child.ts';
import { credentialDirectory, namesOf, put, putToken, tokenIn, TOP, USE } from './directory.ts';

const calls: string[] = [];
const hooks: { beforeFsync?: (() => void) | undefined } = {};
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const opened = new Map<number, string>();
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      const descriptor = real.openSync(...args);
      const name = String(args[0]);
      const path = /^\/proc\/self\/fd\/\d+$/.test(name) ? real.readlinkSync(name) : name;
      opened.set(descriptor, basename(path).replace(/\.d?\d+\.\d+\.credmon-tmp$/, ' (temporary)'));
      return descriptor;
    },
    fsyncSync: (descriptor: number) => {
      hooks.beforeFsync?.();
      calls.push(`fsync ${opened.get(descriptor)}`);
      real.fsyncSync(descriptor);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${basename(to)}`);
      real.renameSync(from, to);
    },
  };
});

let root: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200 });
  putToken(root, 'alice', 'mytok');
  hooks.beforeFsync = undefined;
  calls.length = 0;
});

const NEW_TOP = '{"refresh_token":"rotated"}\n';
const NEW_USE = USE.replace('"at"', '"new"');
const read = (name: string): string => readFileSync(join(root, 'alice', name), 'utf8');
const topNow = async (): Promise<FileIdentity | undefined> =>
  identityOf((await tokenIn(store, 'alice/mytok')).top);
const rotation = (from: FileIdentity | undefined): TokenChange => ({
  user: 'alice',
  stem: 'mytok',
  from,
  writes: [
    { kind: 'top', text: NEW_TOP, durable: true },
    { kind: 'use', text: NEW_USE, durable: true },
    { kind: 'renewal', text: undefined, durable: false },
  ],
});
const all = ['mytok.meta', 'mytok.top', 'mytok.use'];

describe('a renewal on disk', () => {
  it('R11 R12 the rotated .top is durable before .use becomes visible', async () => {
    store.apply(rotation(await topNow()));
    expect(calls).toEqual([
      'fsync .mytok.top (temporary)',
      'fsync .mytok.use (temporary)',
      'rename mytok.top',
      'fsync alice',
      'rename mytok.use',
    ]);
    expect([read('mytok.top'), read('mytok.use')]).toEqual([NEW_TOP, NEW_USE]);
    const { top, use } = await tokenIn(store, 'alice/mytok');
    expect(identityOf(top)?.mtime).toBeLessThanOrEqual(identityOf(use)?.mtime ?? 0);
  });

  it('R12 a rename that is completed at the next start survives a power failure; a removal needs no fsync', () => {
    put(root, 'alice/.mytok.top.d1.1.credmon-tmp', NEW_TOP);
    put(root, 'alice/.mytok.use.d1.2.credmon-tmp', NEW_USE);
    store.settle('alice/.mytok.top.d1.1.credmon-tmp', 'mytok.top');
    store.settle('alice/.mytok.use.d1.2.credmon-tmp');
    expect([calls, read('mytok.top'), namesOf(root)]).toEqual([
      ['rename mytok.top', 'fsync alice'],
      NEW_TOP,
      all,
    ]);
  });

  it('files that can be created again need no fsync', async () => {
    const writes = [{ kind: 'use', text: NEW_USE, durable: false }] as const;
    store.apply({ user: 'alice', stem: 'mytok', from: await topNow(), writes });
    expect(calls).toEqual(['rename mytok.use']);
  });

  it('R20 token files are 0400, our own state 0600, regular files of the writer', async () => {
    const from = await topNow();
    store.apply({
      user: 'alice',
      stem: 'mytok',
      from,
      writes: [
        { kind: 'issued', text: '{}', durable: true },
        { kind: 'use', text: NEW_USE, durable: true },
        { kind: 'renewal', text: '{}', durable: false },
        { kind: 'top', text: NEW_TOP, durable: true },
      ],
    });
    const files = ['mytok.top', 'mytok.use', '.mytok.renewal', '.mytok.issued'];
    const modes = files.map((name) => {
      const stats = statSync(join(root, 'alice', name));
      return [stats.isFile(), (stats.mode & 0o7777).toString(8), stats.uid === process.getuid?.()];
    });
    expect(modes).toEqual([
      [true, '400', true],
      [true, '400', true],
      [true, '600', true],
      [true, '600', true],
    ]);
  });

  it('a removed state is gone, and a missing one is not an error', async () => {
    put(root, 'alice/.mytok.renewal', '{}');
    store.apply(rotation(await topNow()));
    store.apply({
      ...rotation(await topNow()),
      writes: [{ kind: 'renewal', text: undefined, durable: true }],
    });
    expect(namesOf(root)).toEqual(all);
  });
});

describe('R21 changes by another login', () => {
  const superseded = expect.objectContaining({ code: 'CRED_SUPERSEDED' }) as Error;

  it('a newer .top wins, and nothing is written', async () => {
    const from = await topNow();
    unlinkSync(join(root, 'alice/mytok.top'));
    put(root, 'alice/mytok.top', '{"refresh_token":"login"}\n', 3000);
    expect(() => store.apply(rotation(from))).toThrow(superseded);
    expect(calls).toEqual([]);
    expect([read('mytok.top'), read('mytok.use'), namesOf(root)]).toEqual([
      '{"refresh_token":"login"}\n',
      USE,
      all,
    ]);
  });

  it('also one that is stored while the new files are being written', async () => {
    const from = await topNow();
    hooks.beforeFsync = () => {
      hooks.beforeFsync = undefined;
      unlinkSync(join(root, 'alice/mytok.top'));
      put(root, 'alice/mytok.top', '{"refresh_token":"login"}\n', 3000);
    };
    expect(() => store.apply(rotation(from))).toThrow(superseded);
    expect([read('mytok.top'), read('mytok.use'), namesOf(root)]).toEqual([
      '{"refresh_token":"login"}\n',
      USE,
      all,
    ]);
  });

  it('a removed .top stays removed', async () => {
    const from = await topNow();
    unlinkSync(join(root, 'alice/mytok.top'));
    expect(() => store.apply(rotation(from))).toThrow(superseded);
    expect(namesOf(root)).toEqual(['mytok.meta', 'mytok.use']);
  });

  it('a new .top where there was none is kept', () => {
    expect(() => store.apply(rotation(undefined))).toThrow(superseded);
    expect(read('mytok.top')).toBe(TOP);
  });

  it('a swept directory is not created again', async () => {
    const from = await topNow();
    rmSync(join(root, 'alice'), { recursive: true });
    expect(() => store.apply(rotation(from))).toThrow(superseded);
    expect(() => store.apply(rotation(undefined))).toThrow(superseded);
    expect(() => statSync(join(root, 'alice'))).toThrow(/ENOENT/);
  });
});

describe('R13 a disk error', () => {
  const failure = (change: TokenChange): unknown => {
    try {
      store.apply(change);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it.skipIf(!mayMount)(
    'R11 if there is space only for .top, writes it and reports it, and writes the rest once there is space',
    async () => {
      const directory = join(root, 'alice');
      onSmallDisk(directory, () => {
        put(root, 'alice/mytok.top', TOP);
        put(root, 'alice/mytok.use', USE);
        const from = store.read('alice', 'mytok').topIdentity;
        put(root, 'alice/filler', Buffer.alloc(40_000));
        const big = {
          ...rotation(from),
          writes: [
            { kind: 'top', text: NEW_TOP, durable: true },
            { kind: 'use', text: NEW_USE + ' '.repeat(30_000), durable: true },
          ],
        } as const;
        const error = failure(big);
        expect(error).toMatchObject({
          code: 'CRED_FILE_IO',
          message:
            'alice/mytok: mytok.top was written, then the disk failed (ENOSPC); unchanged: mytok.use',
          fields: { token: 'alice/mytok', system: 'ENOSPC' },
        });
        expect([read('mytok.top'), read('mytok.use')]).toEqual([NEW_TOP, USE]);
        expect(namesOf(root)).toEqual(['filler', 'mytok.top', 'mytok.use']);
        const rest = restOf(big, error);
        expect(rest.writes.map(({ kind }) => kind)).toEqual(['use']);
        expect(failure(rest)).toMatchObject({
          message: 'alice/mytok: failed to write mytok.use (ENOSPC); the old files are kept',
        });
        unlinkSync(join(directory, 'filler'));
        store.apply(rest);
        expect(read('mytok.use')).toBe(big.writes[1].text);
      });
    },
  );

  it.skipIf(!mayMount)('without space for .top, leaves both old files and nothing else', () => {
    onSmallDisk(join(root, 'alice'), () => {
      put(root, 'alice/mytok.top', TOP);
      put(root, 'alice/mytok.use', USE);
      const { topIdentity } = store.read('alice', 'mytok');
      const text = `{"refresh_token":"${'r'.repeat(70_000)}"}`;
      const big = {
        ...rotation(topIdentity),
        writes: [{ kind: 'top', text, durable: true }],
      } as const;
      const error = failure(big);
      expect(error).toMatchObject({
        message: 'alice/mytok: failed to write mytok.top (ENOSPC); the old files are kept',
      });
      expect(restOf(big, error)).toEqual(big);
      expect([read('mytok.top'), read('mytok.use')]).toEqual([TOP, USE]);
      expect(namesOf(root)).toEqual(['mytok.top', 'mytok.use']);
    });
  });

  it('R11 if .use is longer than a file may be, .top is written and a newer login still replaces the rest', () => {
    const program = programOf(`
      import { openCredentialDirectory } from './store/directory-store.ts';
      import { restOf } from './store/progress.ts';
      const store = openCredentialDirectory(process.argv[2], { defaultLifetime: 1200 });
      const { topIdentity: from } = store.read('alice', 'mytok');
      const writes = [
        { kind: 'top', text: ${JSON.stringify(NEW_TOP)}, durable: true },
        { kind: 'use', text: 'x'.repeat(100_000), durable: true },
        { kind: 'renewal', text: undefined, durable: false },
      ];
      try {
        store.apply({ user: 'alice', stem: 'mytok', from, writes });
      } catch (error) {
        const rest = restOf({ user: 'alice', stem: 'mytok', from, writes }, error);
        console.log(JSON.stringify([error.message, { ...rest, writes: rest.writes.map(({ kind }) => kind) }]));
      }`);
    const limited = [
      '-c',
      'ulimit -f 100; exec "$0" "$@"',
      process.execPath,
      '--input-type=module',
      '-',
      root,
    ];
    const said = JSON.parse(
      execFileSync('sh', limited, { encoding: 'utf8', input: program }),
    ) as unknown;
    const stands = store.read('alice', 'mytok').topIdentity;
    expect(said).toEqual([
      'alice/mytok: mytok.top was written, then the disk failed (EFBIG); unchanged: mytok.use, .mytok.renewal',
      { user: 'alice', stem: 'mytok', from: stands, writes: ['use', 'renewal'] },
    ]);
    expect([read('mytok.top'), read('mytok.use'), namesOf(root)]).toEqual([NEW_TOP, USE, all]);
    unlinkSync(join(root, 'alice/mytok.top'));
    put(root, 'alice/mytok.top', '{"refresh_token":"login"}\n', 3000);
    const late = { user: 'alice', stem: 'mytok', from: stands, writes: [] };
    expect(failure(late)).toMatchObject({ code: 'CRED_SUPERSEDED' });
  });

  it.skipIf(!mayMount)('on a read-only disk, changes nothing', () => {
    onSmallDisk(join(root, 'alice'), () => {
      put(root, 'alice/mytok.top', TOP);
      makeReadOnly(join(root, 'alice'));
      const { topIdentity } = store.read('alice', 'mytok');
      expect(failure(rotation(topIdentity))).toMatchObject({
        code: 'CRED_FILE_IO',
        fields: { system: 'EROFS' },
      });
      expect(namesOf(root)).toEqual(['mytok.top']);
    });
  });

  it('if .use is a directory, keeps the rotated .top, reports it, and leaves no temporary file', async () => {
    const from = await topNow();
    rmSync(join(root, 'alice/mytok.use'));
    mkdirSync(join(root, 'alice/mytok.use'));
    expect(failure(rotation(from))).toMatchObject({
      code: 'CRED_FILE_IO',
      message: expect.stringMatching(
        /^alice\/mytok: mytok\.top was written, then the disk failed \(.*\); unchanged: mytok\.use, \.mytok\.renewal/,
      ) as string,
    });
    expect([read('mytok.top'), namesOf(root)]).toEqual([NEW_TOP, all]);
  });

  it('R43 does not quote the contents in errors', async () => {
    const from = await topNow();
    rmSync(join(root, 'alice/mytok.use'));
    mkdirSync(join(root, 'alice/mytok.use'));
    const error = failure(rotation(from)) as Error;
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toMatch(/rotated|"new"/);
  });

  it.skipIf(!isRoot)(
    'in a directory of another user, the unprivileged daemon changes nothing',
    () => {
      execFileSync('chown', ['65534:65534', join(root, '..'), root]);
      execFileSync('chmod', ['0755', join(root, 'alice')]);
      execFileSync('chmod', ['0444', join(root, 'alice/mytok.top')]);
      const program = programOf(`
      import { openCredentialDirectory } from './store/directory-store.ts';
      const store = openCredentialDirectory(process.argv[2], { defaultLifetime: 1200 });
      const { topIdentity: from } = store.read('alice', 'mytok');
      try {
        store.apply({ user: 'alice', stem: 'mytok', from, writes: [{ kind: 'use', text: 'x', durable: true }] });
      } catch (error) {
        console.log(error.code, error.fields.system);
      }`);
      const options = {
        uid: 65_534,
        gid: 65_534,
        encoding: 'utf8',
        input: program,
        cwd: '/',
      } as const;
      const said = execFileSync(process.execPath, ['--input-type=module', '-', root], options);
      expect(said).toBe('CRED_FILE_IO EACCES\n');
      expect(namesOf(root)).toEqual(all);
    },
  );
});
