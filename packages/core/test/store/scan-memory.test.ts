// What a scan may skip, and that it skips nothing for ever: quick scans, interruptions,
// and changes within one tick of the clock.
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fullScanInterval } from '../../src/store/directory-scan.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, ScanHabits } from '../../src/store/store.ts';
import type { Instant } from '../../src/credential/snapshot.ts';
import { credentialDirectory, put, putToken, USE } from './directory.ts';

let root: string;
let store: CredentialStore;
/** The time of the first scan, long after every file of this test was written. */
let first: Instant;
beforeEach(() => {
  first = { wall: Date.now() / 1000 + 1000, steady: 1000 };
  root = credentialDirectory();
  store = openCredentialDirectory(root, { defaultLifetime: 1200 });
});

const later = (seconds: number): Instant => ({
  wall: first.wall + seconds,
  steady: first.steady + seconds,
});

/** Spoils a file in place: only a full scan can notice it. */
function spoil(user: string): void {
  const path = join(root, user, 'mytok.use');
  chmodSync(path, 0o600);
  appendFileSync(path, 'rubbish');
}

/** The users whose `.use` a scan has found broken. */
async function brokenAt(seconds: number, habits: ScanHabits = {}): Promise<string[]> {
  const { tokens } = await store.scan(later(seconds), habits);
  return tokens.filter(({ use }) => use.kind === 'broken').map(({ user }) => user);
}

describe('R4 a quick scan', () => {
  const hurry: ScanHabits = { hurry: () => true };

  it('does not check files in unchanged directories, and the next scan does', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    spoil('alice');
    expect([await brokenAt(100, hurry), await brokenAt(101)]).toEqual([[], ['alice']]);
  });

  it('notices replaced files', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    put(root, 'new', '[]');
    renameSync(join(root, 'new'), join(root, 'alice/mytok.use'));
    expect(await brokenAt(100, hurry)).toEqual(['alice']);
  });

  it('postpones a full scan by at most five minutes', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    spoil('alice');
    expect([await brokenAt(299, hurry), await brokenAt(301, hurry)]).toEqual([[], ['alice']]);
  });

  it('hurry that begins during the scan does not leave a directory unchecked', async () => {
    const users = ['a', 'b', 'c', 'd'];
    for (const user of users) putToken(root, user, 'mytok');
    await store.scan(first);
    for (const user of users) spoil(user);
    let asked = 0;
    const seen = new Set(await brokenAt(100, { hurry: () => (asked += 1) > 2 }));
    for (const user of await brokenAt(101)) seen.add(user);
    expect([...seen].toSorted()).toEqual(users);
  });
});

describe('R4 the seconds between two full scans', () => {
  it.each([
    [0, 55],
    [20_000, 55],
    [50_000, 120],
    [100_000, 240],
    [1_000_000, 240],
  ])('of %i tokens are %i', (tokens, seconds) => {
    expect(fullScanInterval(tokens)).toBeCloseTo(seconds);
  });
});

describe('R4 an interrupted scan', () => {
  it('is not a full scan: the next one is', async () => {
    const users = ['a', 'b', 'c', 'd', 'e'];
    for (const user of users) putToken(root, user, 'mytok');
    await store.scan(first);
    for (const user of users) spoil(user);
    let asked = 0;
    const some = await brokenAt(100, { interrupted: () => (asked += 1) > 2 });
    expect(some.length).toBeLessThan(users.length);
    expect((await brokenAt(101)).toSorted()).toEqual(users);
  });
});

describe('R4 R7 a directory that changes twice within one tick of the file system\u2019s clock', () => {
  /**
   * Replaces `.use` so that the directory has the modification time `at` before and
   * after.
   */
  function replaceUnseen(at: number, text: string): void {
    put(root, 'new', text);
    renameSync(join(root, 'new'), join(root, 'alice/mytok.use'));
    utimesSync(join(root, 'alice'), at, at);
  }

  it.each([
    ['at the moment of its first change', 0, true],
    ['a second after it', 1, true],
    ['almost two seconds after it', 1.9, true],
    ['long after its first change, at the next full scan only', 3, false],
  ])('scanned %s: the second change is noticed', async (_, age, isSeen) => {
    putToken(root, 'alice', 'mytok');
    const changed = first.wall - age;
    utimesSync(join(root, 'alice'), changed, changed);
    await store.scan(first);
    replaceUnseen(changed, '[]');
    expect([await brokenAt(1), await brokenAt(100)]).toEqual([isSeen ? ['alice'] : [], ['alice']]);
  });

  it('a directory without recent changes is not opened again', async () => {
    putToken(root, 'alice', 'mytok');
    const changed = first.wall;
    utimesSync(join(root, 'alice'), changed, changed);
    await store.scan(first);
    replaceUnseen(changed, USE);
    await store.scan(later(10));
    replaceUnseen(changed, '[]');
    expect(await brokenAt(11)).toEqual([]);
  });
});

describe('R7 a scan begins with users who may be waiting', () => {
  const users = Array.from({ length: 40 }, (_, n) => `u${n}`);

  /** The users in the order in which a scan reports the tokens that it has read. */
  async function order(at: Instant, habits: ScanHabits = {}): Promise<string[]> {
    const found: string[] = [];
    await store.scan(at, {
      ...habits,
      found: (tokens) => {
        for (const { user } of tokens) found.push(user);
      },
    });
    return found;
  }

  it('whose directory was new and had no token yet at the last scan', async () => {
    for (const user of users) putToken(root, user, 'mytok');
    const now = { wall: Date.now() / 1000, steady: 10 };
    await order(now);
    mkdirSync(join(root, 'zoe'), { mode: 0o700 });
    expect(await order(now)).not.toContain('zoe');
    put(root, 'zoe/mytok.top', '{"refresh_token":"r"}');
    expect((await order(now))[0]).toBe('zoe');
  });

  it('whose token had no .use yet at the last scan', async () => {
    for (const user of users) putToken(root, user, 'mytok');
    const now = { wall: Date.now() / 1000, steady: 10 };
    await order(now);
    put(root, 'u33/other.top', '{"refresh_token":"r"}');
    expect(await order(now)).toContain('u33');
    put(root, 'u33/other.use', USE);
    expect((await order(now))[0]).toBe('u33');
  });

  it('that the caller names, and returns each token once', async () => {
    for (const user of users) putToken(root, user, 'mytok');
    await store.scan(first);
    for (const [n, user] of ['u31', 'u7'].entries()) {
      for (const changed of ['u31', 'u7']) put(root, `${changed}/other_${n}.use`, USE);
      const names = [user, 'pid', '../u1', '.', 'gone', user];
      expect((await order(later(10 + n), { first: names }))[0]).toBe(user);
    }
    const { tokens, problems } = await store.scan(later(12), { first: ['u3', 'u3'] });
    expect(tokens.map(({ user }) => user).toSorted()).toEqual(
      [...users, 'u31', 'u31', 'u7', 'u7'].toSorted(),
    );
    expect(problems).toEqual([]);
  });

  it('a link in the place of a named user is one problem', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    rmSync(join(root, 'alice'), { recursive: true });
    symlinkSync('/tmp', join(root, 'alice'));
    const { tokens, problems } = await store.scan(later(10), { first: ['alice'] });
    expect([tokens, problems]).toEqual([
      [],
      [expect.stringMatching(/alice was replaced by a symbolic link/) as string],
    ]);
  });
});
