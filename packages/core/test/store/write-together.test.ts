// Changes of many tokens at the same time: each keeps its own order, an error stops one
// of them, and the event loop turns meanwhile.
import {
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { identityOf, type FileIdentity } from '../../src/credential/snapshot.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import { restOf } from '../../src/store/progress.ts';
import type { CredentialStore, TokenChange } from '../../src/store/store.ts';
import { credentialDirectory, namesOf, NOW, put, putToken, TOP, USE } from './directory.ts';

const { O_DIRECTORY } = constants;
const O_PATH = 0o10000000;

const calls: string[] = [];
type Done = (error: Error | null) => void;
const hooks: {
  fsync: (name: string, real: () => void, done: Done) => void;
  open: (name: string, flags: number) => void;
} = { fsync: (_name, real) => real(), open: () => undefined };
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>();
  const short = (path: string): string =>
    basename(path).replace(/\.d?\d+\.\d+\.credmon-tmp$/, ' (temporary)');
  return {
    ...real,
    fsync: (descriptor: number, done: Done) => {
      const name = short(real.readlinkSync(`/proc/self/fd/${descriptor}`));
      calls.push(`fsync ${name}`);
      hooks.fsync(
        name,
        () =>
          real.fsync(descriptor, (error) => {
            calls.push(`synced ${name}`);
            done(error);
          }),
        done,
      );
    },
    openSync: (path: string, flags: number, mode?: number) => {
      hooks.open(short(path), flags);
      return real.openSync(path, flags, mode);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${short(to)}`);
      real.renameSync(from, to);
    },
  };
});

let root: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200, locked: true });
  hooks.fsync = (_name, real) => real();
  hooks.open = () => undefined;
});

/** Puts `count` tokens of `users`, and returns their rotations. */
function rotations(count: number, users: readonly string[]): TokenChange[] {
  const changes = Array.from({ length: count }, (_, n) => {
    const [user, stem] = [users[n % users.length] ?? '', `t${n}`];
    putToken(root, user, stem);
    return rotation(user, stem, store.read(user, stem).topIdentity);
  });
  calls.length = 0;
  return changes;
}

const newTop = (stem: string): string => `{"refresh_token":"rotated-${stem}"}\n`;
const NEW_USE = USE.replace('"at"', '"new"');
const rotation = (user: string, stem: string, from: FileIdentity | undefined): TokenChange => ({
  user,
  stem,
  from,
  writes: [
    { kind: 'top', text: newTop(stem), durable: true },
    { kind: 'use', text: NEW_USE, durable: true },
    { kind: 'renewal', text: undefined, durable: false },
  ],
});
const read = (user: string, name: string): string => readFileSync(join(root, user, name), 'utf8');
const errorWith = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });
const isNew = ({ user, stem }: TokenChange): boolean =>
  read(user, `${stem}.top`) === newTop(stem) && read(user, `${stem}.use`) === NEW_USE;
const temporaries = (user: string): string[] =>
  namesOf(root, user).filter((name) => name.endsWith('.credmon-tmp'));

describe('a directory that is moved while the disk writes', () => {
  const away = (): string => join(root, '..', 'away');
  const moves: readonly (readonly [string, () => readonly string[]])[] = [
    ['moved', () => (renameSync(join(root, 'alice'), away()), [away()])],
    [
      'replaced by another',
      () => {
        renameSync(join(root, 'alice'), away());
        putToken(root, 'alice', 't0');
        return [away(), join(root, 'alice')];
      },
    ],
    [
      'replaced by a link to it',
      () => {
        renameSync(join(root, 'alice'), away());
        symlinkSync(away(), join(root, 'alice'));
        return [away()];
      },
    ],
    [
      'moved with the credential directory',
      () => {
        renameSync(root, away());
        mkdirSync(root, { mode: 0o700 });
        return [join(away(), 'alice')];
      },
    ],
  ];
  const moments = [
    ['before .top', '.t0.top (temporary)', [TOP, USE], 'nothing was written'],
    ['after .top', 'alice', [newTop('t0'), USE], 'nothing more was written'],
  ] as const;

  it.each(
    moves.flatMap(([what, move]) =>
      moments.map(([when, ...moment]) => [what, when, move, ...moment] as const),
    ),
  )('R21 %s %s: gets no more files', async (_what, _when, move, at, expected, text) => {
    const [change] = rotations(1, ['alice']);
    if (!change) throw new Error('no change');
    let directories: readonly string[] = [];
    hooks.fsync = (name, real) => {
      if (name === at) directories = move();
      real();
    };
    await expect(store.write(change)).rejects.toMatchObject({
      code: 'CRED_SUPERSEDED',
      message: expect.stringContaining(text) as string,
    });
    const textsIn = (directory: string): string[] =>
      ['t0.top', 't0.use'].map((name) => readFileSync(join(directory, name), 'utf8'));
    const [moved = '', ...others] = directories;
    const names = readdirSync(moved).sort();
    expect([names, textsIn(moved)]).toEqual([['t0.meta', 't0.top', 't0.use'], expected]);
    expect(others.map(textsIn)).toEqual(others.map(() => [TOP, USE]));
  });
});

describe('renewals that are written together', () => {
  it.each(['EMFILE at open', 'EIO at fsync'])(
    'R11 a directory that could not be synced (%s) is synced before .use becomes visible later',
    async (what) => {
      const [change] = rotations(1, ['alice']);
      if (!change) throw new Error('no change');
      const failing = what.startsWith('EIO') ? 'fsync' : 'open';
      const fail = (): void => {
        if (failing === 'fsync')
          hooks.fsync = (name, real, done) => (name === 'alice' ? done(errorWith('EIO')) : real());
        else
          hooks.open = (_name, flags) => {
            if ((flags & O_DIRECTORY) !== 0 && (flags & O_PATH) === 0) throw errorWith('EMFILE');
          };
      };
      fail();
      let rest = restOf(change, await store.write(change).catch((caught: unknown) => caught));
      const newTopOnly = [newTop('t0'), USE];
      expect([read('alice', 't0.top'), read('alice', 't0.use')]).toEqual(newTopOnly);
      rest = restOf(rest, await store.write(rest).catch((caught: unknown) => caught));
      expect([read('alice', 't0.top'), read('alice', 't0.use')]).toEqual(newTopOnly);
      [hooks.open, hooks.fsync] = [() => undefined, (_name, real) => real()];
      calls.length = 0;
      await store.write(rest);
      expect([calls.includes('synced alice'), isNew(change)]).toEqual([true, true]);
      expect(calls.indexOf('synced alice')).toBeLessThan(calls.indexOf('rename t0.use'));
      expect(temporaries('alice')).toEqual([]);
    },
  );

  it('R13 the reserved space serves all tokens for which the disk was full at the same time', async () => {
    const changes = rotations(4, ['alice', 'bob']);
    let isFull = true;
    let released = 0;
    // As file systems that allocate space late, and those of a network.
    hooks.fsync = (name, real, done) =>
      isFull && name.endsWith('.top (temporary)')
        ? setImmediate(() => done(errorWith('ENOSPC')))
        : real();
    const release = (): boolean => {
      released += 1;
      isFull = false;
      return released === 1;
    };
    const full = openCredentialDirectory(root, {
      defaultLifetime: 1200,
      locked: true,
      reserve: { release },
    });
    await Promise.all(changes.map((change) => full.write(change)));
    expect(changes.map(isNew)).toEqual([true, true, true, true]);
  });

  it('R11 each .top and its directory are durable before its .use becomes visible', async () => {
    const users = ['alice', 'bob', 'carol'];
    const changes = rotations(9, users);
    await Promise.all(changes.map((change) => store.write(change)));
    expect(changes.map(isNew)).toEqual(changes.map(() => true));
    for (const { user, stem } of changes) {
      const at = (call: string): number => calls.indexOf(call);
      const renamed = at(`rename ${stem}.top`);
      const durable = calls.findIndex(
        (call, index) =>
          call === `synced ${user}` && index > calls.indexOf(`fsync ${user}`, renamed),
      );
      expect([
        at(`synced .${stem}.top (temporary)`) < renamed,
        at(`synced .${stem}.use (temporary)`) < renamed,
        renamed < calls.indexOf(`fsync ${user}`, renamed),
        durable > renamed && durable < at(`rename ${stem}.use`),
      ]).toEqual([true, true, true, true]);
    }
  });

  it('one fsync of a directory serves all tokens of its user whose .top was renamed before', async () => {
    const changes = rotations(8, ['alice']);
    await Promise.all(changes.map((change) => store.write(change)));
    const syncs = calls.filter((call) => call === 'fsync alice');
    // The first change begins alone.
    expect([changes.every(isNew), syncs.length <= 3]).toEqual([true, true]);
  });

  it('returns the version of .top that it has left', async () => {
    const [change] = rotations(1, ['alice']);
    const left = change && (await store.write(change));
    const { tokens } = await store.scan(NOW);
    expect(left).toEqual(tokens[0] && identityOf(tokens[0].top));
    const use = {
      ...rotation('alice', 't0', left),
      writes: [{ kind: 'use', text: USE, durable: true }],
    } as const;
    expect(await store.write(use)).toEqual(left);
  });

  it.each(['EIO', 'ENOSPC'])('R13 %s for one file fails only that token', async (code) => {
    const changes = rotations(6, ['alice', 'bob']);
    hooks.fsync = (name, real, done) =>
      name === '.t2.top (temporary)' ? done(errorWith(code)) : real();
    const fates = await Promise.allSettled(changes.map((change) => store.write(change)));
    expect(changes.map(isNew)).toEqual([true, true, false, true, true, true]);
    expect(fates[2]).toMatchObject({
      reason: {
        code: 'CRED_FILE_IO',
        message: `alice/t2: failed to write t2.top, t2.use, .t2.renewal (${code}); the old files are kept`,
      },
    });
    expect([read('alice', 't2.top'), read('alice', 't2.use')]).toEqual([TOP, USE]);
    expect([temporaries('alice'), temporaries('bob')]).toEqual([[], []]);
  });

  it('R13 if only .use cannot be synced, the rotated .top is written and the rest is known', async () => {
    const [change] = rotations(1, ['alice']);
    if (!change) throw new Error('no change');
    hooks.fsync = (name, real, done) =>
      name === '.t0.use (temporary)' ? done(errorWith('EIO')) : real();
    const error = await store.write(change).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CRED_FILE_IO' });
    expect([read('alice', 't0.top'), read('alice', 't0.use')]).toEqual([newTop('t0'), USE]);
    expect(restOf(change, error).writes.map(({ kind }) => kind)).toEqual(['use', 'renewal']);
    expect(temporaries('alice')).toEqual([]);
  });

  it('R21 a .top that another login stores while the disk writes is kept, and the others are renewed', async () => {
    const changes = rotations(3, ['alice']);
    hooks.fsync = (name, real) => {
      if (name === '.t1.use (temporary)') {
        unlinkSync(join(root, 'alice/t1.top'));
        put(root, 'alice/t1.top', '{"refresh_token":"login"}\n', 3000);
      }
      real();
    };
    const fates = await Promise.allSettled(changes.map((change) => store.write(change)));
    expect(fates[1]).toMatchObject({ reason: { code: 'CRED_SUPERSEDED' } });
    expect([read('alice', 't1.top'), read('alice', 't1.use')]).toEqual([
      '{"refresh_token":"login"}\n',
      USE,
    ]);
    expect(changes.map(isNew)).toEqual([true, false, true]);
  });

  it('R12 a scan meanwhile does not take the temporary files for leftovers', async () => {
    const changes = rotations(4, ['alice', 'bob']);
    const held: (() => void)[] = [];
    hooks.fsync = (_name, real) => void held.push(real);
    const writing = Promise.all(changes.map((change) => store.write(change)));
    expect(temporaries('alice')).not.toEqual([]);
    expect((await store.scan(NOW)).temporaries).toEqual([]);
    hooks.fsync = (_name, real) => real();
    for (const real of held) real();
    await writing;
    expect(changes.map(isNew)).toEqual([true, true, true, true]);
  });
});

/** Seconds of processor time; garbage collection of a busy machine is in it, too. */
const LONGEST_PIECE = 0.08;

it('R4 a signal is answered while the disk writes 200 tokens, and no piece of the work is longer than 50 ms', async () => {
  const changes = rotations(200, ['alice', 'bob', 'carol', 'dave']);
  const held: (() => void)[] = [];
  hooks.fsync = (_name, real) => void held.push(real);
  const writing = Promise.all(changes.map((change) => store.write(change)));
  const answered = new Promise((resolve) => process.once('SIGUSR2', resolve));
  process.kill(process.pid, 'SIGUSR2');
  await answered;
  expect([held.length > 0, changes.some(isNew)]).toEqual([true, false]);

  let longest = 0;
  let running = true;
  let before = process.cpuUsage();
  const turn = (): void => {
    longest = Math.max(longest, process.cpuUsage(before).user / 1e6);
    before = process.cpuUsage();
    if (running) setImmediate(turn);
  };
  await new Promise((resolve) => setImmediate(resolve));
  before = process.cpuUsage();
  setImmediate(turn);
  hooks.fsync = (_name, real) => real();
  for (const real of held) real();
  await writing;
  running = false;
  expect(changes.every(isNew)).toBe(true);
  expect(longest).toBeLessThan(LONGEST_PIECE);
});
