// Scans of a real directory with any contents: each token depends only on its own files.
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import { readCredentialFile } from '../../src/store/read-file.ts';
import type { CredentialStore } from '../../src/store/store.ts';
import { isRoot } from '../base/privileges.ts';
import { programOf } from './child.ts';
import { credentialDirectory, META, NOW, put, putToken, tokenIn, TOP, USE } from './directory.ts';

let root: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200 });
});

const kinds = ['top', 'use', 'meta'] as const;

describe('R3 one bad file affects one token', () => {
  const whole = (): string => join(root, 'alice/bad');
  const replace = (kind: string, make: (path: string) => void): void => {
    const path = `${whole()}.${kind}`;
    rmSync(path);
    make(path);
  };
  const bad: [string, (path: string) => void, RegExp][] = [
    ['a symbolic link', (path) => symlinkSync('/etc/hostname', path), /is a symbolic link/],
    ['a dangling link', (path) => symlinkSync('/nowhere', path), /is a symbolic link/],
    ['a directory', (path) => mkdirSync(path), /is a directory/],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path]), /is not a regular file/],
    [
      '200 MB of zeros',
      (path) => {
        writeFileSync(path, '');
        truncateSync(path, 200_000_000);
      },
      /is larger than 1048576 bytes/,
    ],
  ];
  it.each(
    bad.flatMap(([what, make, reason]) => kinds.map((kind) => [what, kind, make, reason] as const)),
  )('%s for .%s', async (_, kind, make, reason) => {
    for (let index = 0; index < 30; index += 1) putToken(root, 'alice', `good${index}`);
    putToken(root, 'alice', 'bad');
    replace(kind, make);
    const { tokens, problems } = await store.scan(NOW);
    const good = tokens.filter((token) => token.stem.startsWith('good'));
    expect(
      good.filter(({ top, use, meta }) => [top, use, meta].every((file) => file.kind === 'valid')),
    ).toHaveLength(30);
    expect(problems).toEqual([]);
    const state = tokens.find((token) => token.stem === 'bad')?.[kind];
    expect(state).toMatchObject({
      kind: 'broken',
      reason: expect.stringMatching(reason) as string,
    });
  });

  it.each([
    ['use', ''],
    ['use', '[]'],
    ['use', '{}'],
    ['use', 'null'],
    ['use', '\0'],
    ['meta', ''],
    ['meta', '[]'],
    ['meta', '{"client_id":5}'],
  ] as const)('.%s of %j', async (kind, text) => {
    putToken(root, 'alice', 'bad');
    putToken(root, 'alice', 'good');
    replace(kind, (path) => writeFileSync(path, text));
    expect((await tokenIn(store, 'alice/bad'))[kind]).toMatchObject({ kind: 'broken' });
    expect((await tokenIn(store, 'alice/good'))[kind]).toMatchObject({ kind: 'valid' });
  });

  it('R45 a changed default lifetime applies to the next scan, also for unchanged files', async () => {
    put(root, 'alice/silent.use', '{"access_token":"at"}\n', 2000);
    put(root, 'alice/exact.use', USE, 2000);
    let defaultLifetime = 1200;
    const following = openCredentialDirectory(root, { defaultLifetime: () => defaultLifetime });
    const expiries = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries(
        (await following.scan(NOW)).tokens.map(({ stem, use }) => [
          stem,
          use.kind === 'valid' ? use.value.expiresAt : use.kind,
        ]),
      );
    expect(await expiries()).toEqual({ exact: 4600, silent: 3200 });
    defaultLifetime = 300;
    expect(await expiries()).toEqual({ exact: 4600, silent: 2300 });
  });

  it('missing files are missing', async () => {
    put(root, 'alice/only.top', 'user@foo');
    put(root, 'bob/only.use', USE);
    expect(await tokenIn(store, 'alice/only')).toMatchObject({
      top: { kind: 'valid', value: { opaque: true, refreshToken: 'absent' } },
      use: { kind: 'missing' },
      meta: { kind: 'missing' },
      renewal: undefined,
    });
    expect(await tokenIn(store, 'bob/only')).toMatchObject({
      top: { kind: 'missing' },
      use: { kind: 'valid' },
    });
  });

  it('a socket is not a file', async () => {
    putToken(root, 'alice', 'bad');
    const path = join(root, 'alice/bad.use');
    unlinkSync(path);
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    expect((await tokenIn(store, 'alice/bad')).use).toEqual({
      kind: 'broken',
      reason: 'cannot be read (ENXIO)',
    });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('the result of a scan', () => {
  it('has complete tokens without secrets, in a path with [1] in it', async () => {
    putToken(root, 'alice', 'mytok_h1');
    const { tokens } = await store.scan(NOW);
    expect(tokens).toMatchObject([
      {
        user: 'alice',
        stem: 'mytok_h1',
        top: { kind: 'valid', value: { opaque: false, refreshToken: 'present' } },
        use: {
          kind: 'valid',
          value: { issuedAt: 1000, expiresAt: 4600 },
          identity: { mtime: 2001 },
        },
        meta: {
          kind: 'valid',
          value: { clientId: 'c', tokenUrl: 'https://x.example/', useRefreshToken: true },
        },
        renewal: undefined,
        seen: NOW,
      },
    ]);
    expect(JSON.stringify(tokens)).not.toMatch(/"(rt|at|s)"/);
  });

  it('R19 names that CredD would not use belong to no user', async () => {
    for (const path of [
      '.hidden/a.top',
      'al ice/a.top',
      'alice/.top',
      'alice/a b.top',
      'alice/a.tmp',
      'alice/.a.top',
    ])
      put(root, path, TOP);
    put(root, 'loose.top', TOP);
    put(root, 'pid', '1');
    put(root, 'alice.mark', '');
    mkdirSync(join(root, 'alice/deep/er.top'), { recursive: true });
    expect(await store.scan(NOW)).toEqual({
      tokens: [],
      keyFiles: [],
      temporaries: [],
      problems: [],
    });
  });

  it('a directory with the name of a mark belongs to a user', async () => {
    putToken(root, 'x.mark', 'mytok');
    expect((await store.scan(NOW)).tokens).toHaveLength(1);
  });

  it('a link to a directory does not belong to a user', async () => {
    putToken(root, 'alice', 'mytok');
    symlinkSync('alice', join(root, 'bob'));
    expect((await store.scan(NOW)).tokens.map(({ user }) => user)).toEqual(['alice']);
  });

  it('R37 key files: regular files of 64 hex digits', async () => {
    const key = 'a1'.repeat(32);
    put(root, key, 'Provider = "x"', 1234);
    put(root, 'A1'.repeat(32), '');
    put(root, 'a1'.repeat(31), '');
    symlinkSync('/etc/hostname', join(root, 'b2'.repeat(32)));
    mkdirSync(join(root, 'c3'.repeat(32)));
    expect((await store.scan(NOW)).keyFiles).toEqual([{ path: key, mtime: 1234 }]);
  });

  it('a directory that cannot be listed is an error', async () => {
    rmSync(root, { recursive: true });
    await expect(store.scan(NOW)).rejects.toMatchObject({
      code: 'CRED_DIR_INVALID',
      fields: { system: 'ENOENT' },
    });
  });
});

describe('R12 temporary files', () => {
  it('those of dead processes are distinguished from those of living ones, in users’ directories and above', async () => {
    const dead = spawn('true');
    await new Promise((resolve) => dead.once('exit', resolve));
    const name = (file: string, pid: number | undefined): string => `.${file}.${pid}.1.credmon-tmp`;
    put(root, `alice/${name('a.top', dead.pid)}`, TOP);
    put(root, `alice/${name('b.top', dead.pid)}`, TOP.slice(0, 9));
    put(root, `alice/${name('a.use', process.ppid)}`, USE);
    put(root, `alice/${name('c.use', process.pid)}`, '');
    put(root, name('pid', dead.pid), '1');
    symlinkSync('/etc/hostname', join(root, `alice/${name('l.use', dead.pid)}`));
    mkdirSync(join(root, `alice/${name('d.use', dead.pid)}`));
    const { temporaries, tokens } = await store.scan(NOW);
    const seen = temporaries.map(({ target, orphaned, refreshToken }) => [
      target,
      { orphaned, refreshToken },
    ]);
    expect(Object.fromEntries(seen)).toEqual({
      'a.top': { orphaned: true, refreshToken: true },
      'a.use': { orphaned: false, refreshToken: false },
      'b.top': { orphaned: true, refreshToken: false },
      'c.use': { orphaned: true, refreshToken: false },
      'l.use': { orphaned: true, refreshToken: false },
      pid: { orphaned: true, refreshToken: false },
    });
    expect(tokens).toEqual([]);
  });

  it('those of an earlier holder of the lock belong to a dead process, even if its number was reused', async () => {
    const written = (file: string, owner: string): void =>
      put(root, `alice/.${file}.${owner}${process.ppid}.1.credmon-tmp`, TOP);
    written('daemon.top', 'd');
    written('portal.top', '');
    const orphans = async (locked: boolean): Promise<string[]> => {
      const { temporaries } = await openCredentialDirectory(root, {
        defaultLifetime: 1200,
        locked,
      }).scan(NOW);
      return temporaries.filter(({ orphaned }) => orphaned).map(({ target }) => target);
    };
    expect([await orphans(true), await orphans(false)]).toEqual([['daemon.top'], []]);
  });

  it('are reported at each scan until they are settled', async () => {
    put(root, 'alice/.a.top.999999999.1.credmon-tmp', TOP);
    for (let look = 0; look < 3; look += 1)
      expect((await store.scan(NOW)).temporaries).toHaveLength(1);
    for (const { path, target } of (await store.scan(NOW)).temporaries) store.settle(path, target);
    expect((await store.scan(NOW)).temporaries).toEqual([]);
    expect(await tokenIn(store, 'alice/a')).toMatchObject({ top: { kind: 'valid' } });
    store.settle('alice/a.top');
    store.settle('alice/a.top');
    expect((await store.scan(NOW)).tokens).toEqual([]);
  });

  it('a failure to settle one is reported with a code', () => {
    mkdirSync(join(root, 'alice/x'), { recursive: true });
    expect(() => store.settle('alice/x')).toThrow(
      expect.objectContaining({ code: 'CRED_FILE_IO' }),
    );
  });
});

describe('the memory of a scan', () => {
  const later = (seconds: number): typeof NOW => ({
    wall: NOW.wall + seconds,
    steady: NOW.steady + seconds,
  });

  it('an unchanged file is not read again, also in a full scan', async () => {
    putToken(root, 'alice', 'mytok');
    const first = await tokenIn(store, 'alice/mytok');
    const second = await tokenIn(store, 'alice/mytok', later(1));
    const full = await tokenIn(store, 'alice/mytok', later(100));
    // A snapshot is the same object as long as none of its files is read again.
    expect(second).toBe(first);
    expect(full).toBe(first);
    expect(full.seen).toEqual(NOW);
  });

  it('R5 chown and chmod change nothing; a restore with other times reads the file again', async () => {
    putToken(root, 'alice', 'mytok');
    const first = await tokenIn(store, 'alice/mytok');
    chmodSync(join(root, 'alice/mytok.use'), 0o600);
    expect(await tokenIn(store, 'alice/mytok', later(100))).toBe(first);
    utimesSync(join(root, 'alice/mytok.use'), 9000, 9000);
    const restored = await tokenIn(store, 'alice/mytok', later(200));
    expect(restored.seen).toEqual(later(200));
    expect(restored.use).toMatchObject({ value: { issuedAt: 1000, expiresAt: 4600 } });
  });

  it('a replaced file is noticed at the next scan, one changed in place at the next full scan', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(NOW);
    put(root, 'alice/new', USE.replace('4600', '5600'), 2500);
    renameSync(join(root, 'alice/new'), join(root, 'alice/mytok.use'));
    expect((await tokenIn(store, 'alice/mytok', later(1))).use).toMatchObject({
      value: { expiresAt: 5600 },
    });
    chmodSync(join(root, 'alice/mytok.use'), 0o600);
    appendFileSync(join(root, 'alice/mytok.use'), 'rubbish');
    expect((await tokenIn(store, 'alice/mytok', later(100))).use).toMatchObject({ kind: 'broken' });
  });

  it('R21 a swept user is forgotten, and found again when the directory is created again', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(NOW);
    rmSync(join(root, 'alice'), { recursive: true });
    expect((await store.scan(later(1))).tokens).toEqual([]);
    putToken(root, 'alice', 'mytok');
    expect((await tokenIn(store, 'alice/mytok', later(2))).seen).toEqual(later(2));
  });

  it('R4 a scan of many tokens of one user yields to the event loop', async () => {
    for (let index = 0; index < 2000; index += 1) put(root, `alice/t${index}.use`, USE);
    let turns = 0;
    let over = false;
    const turn = (): void => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    await store.scan(NOW);
    over = true;
    expect(turns).toBeGreaterThan(2);
  });
});

describe.skipIf(!isRoot)('R3 files that an unprivileged daemon may not access', () => {
  const scanAsNobody = (): unknown => {
    const program = programOf(`
      import { openCredentialDirectory } from './store/directory-store.ts';
      const store = openCredentialDirectory(process.argv[2], { defaultLifetime: 1200 });
      const { tokens, problems } = await store.scan({ wall: Date.now() / 1000, steady: 0 });
      const states = Object.fromEntries(tokens.map((t) => [t.user + '/' + t.stem, t.use.reason ?? t.use.kind]));
      console.log(JSON.stringify({ states, problems }));`);
    const options = {
      uid: 65_534,
      gid: 65_534,
      encoding: 'utf8',
      input: program,
      cwd: '/',
    } as const;
    return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-', root], options));
  };

  it('affect one token or one user, never the scan', () => {
    for (const user of ['good', 'closed', 'listed', 'partly']) putToken(root, user, 'mytok');
    execFileSync('chown', ['-R', '65534:65534', join(root, '..')]);
    chmodSync(join(root, 'closed'), 0o000);
    chmodSync(join(root, 'listed'), 0o400);
    execFileSync('chown', ['0:0', join(root, 'partly/mytok.use')]);
    expect(scanAsNobody()).toEqual({
      states: {
        'good/mytok': 'valid',
        'listed/mytok': 'cannot be read (EACCES)',
        'partly/mytok': 'cannot be read (EACCES)',
      },
      problems: [`${join(root, 'closed')} cannot be read (EACCES); its tokens are not renewed`],
    });
  });
});

describe('reading a credential file', () => {
  it('accepts the largest allowed one, and rejects a larger one with its limit', () => {
    put(root, 'alice/a', Buffer.alloc(100, 'x'));
    expect(readCredentialFile(join(root, 'alice/a'), 100)).toMatchObject({
      kind: 'text',
      text: 'x'.repeat(100),
    });
    expect(readCredentialFile(join(root, 'alice/a'), 99)).toMatchObject({
      kind: 'broken',
      reason: 'is larger than 99 bytes',
      identity: { size: 100, mtime: 2000 },
    });
    expect(readCredentialFile(join(root, 'alice/none'))).toEqual({ kind: 'missing' });
    expect(readCredentialFile(join(root, 'alice/a/b'))).toEqual({ kind: 'missing' });
  });

  it('reads top and meta for a renewal, or gives the reason', () => {
    put(root, 'alice/a.top', TOP);
    put(root, 'alice/a.meta', META);
    put(root, 'alice/b.meta', '[]');
    expect(store.read('alice', 'a')).toMatchObject({
      top: { ok: true, value: TOP },
      topIdentity: { mtime: 2000 },
      meta: { ok: true, value: { client_id: 'c', client_secret: 's' } },
    });
    expect(store.read('alice', 'b')).toEqual({
      top: { ok: false, reason: 'is missing' },
      topIdentity: undefined,
      meta: { ok: false, reason: 'is JSON, but not an object' },
    });
    expect(store.read('nobody', 'c').meta).toEqual({ ok: false, reason: 'is missing' });
  });
});

it('R4 scans that are interrupted repeatedly reach every directory: each starts where the last one stopped', async () => {
  const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  for (const user of users) putToken(root, user, 'mytok');
  await store.scan(NOW);
  for (const user of users) put(root, `${user}/new.top`, TOP);
  const found = new Set<string>();
  const partial: (boolean | undefined)[] = [];
  for (let scan = 0; scan < 3; scan += 1) {
    let looks = 0;
    const seen = await store.scan(NOW, {
      interrupted: () => ++looks > 3,
      found: (tokens) =>
        tokens.filter(({ stem }) => stem === 'new').forEach(({ user }) => found.add(user)),
    });
    partial.push(seen.partial);
  }
  expect([[...found].toSorted(), partial]).toEqual([users, [true, true, true]]);
});
