// What a scan may skip, and that nothing is skipped for good: hurry, interruption, and
// changes within one tick of the clock.
import { appendFileSync, chmodSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore, ScanHabits } from '../../src/store/store.ts';
import type { Instant } from '../../src/credential/snapshot.ts';
import { credentialDirectory, put, putToken, USE } from './directory.ts';

let root: string;
let store: CredentialStore;
/** The moment of the first look, long after every file of this test was written. */
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

/** Spoils a file in place: only a look at every file can see it. */
function spoil(user: string): void {
  const path = join(root, user, 'mytok.use');
  chmodSync(path, 0o600);
  appendFileSync(path, 'rubbish');
}

/** The users whose `.use` a scan has seen to be broken. */
async function brokenAt(seconds: number, habits: ScanHabits = {}): Promise<string[]> {
  const { tokens } = await store.scan(later(seconds), habits);
  return tokens.filter(({ use }) => use.kind === 'broken').map(({ user }) => user);
}

describe('R4 a scan for somebody who waits', () => {
  const hurry: ScanHabits = { hurry: () => true };

  it('does not look at files in directories that have not changed, and the next scan does', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    spoil('alice');
    expect([await brokenAt(100, hurry), await brokenAt(101)]).toEqual([[], ['alice']]);
  });

  it('sees what was replaced all the same', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    put(root, 'new', '[]');
    renameSync(join(root, 'new'), join(root, 'alice/mytok.use'));
    expect(await brokenAt(100, hurry)).toEqual(['alice']);
  });

  it('puts a look at every file off for five minutes at most', async () => {
    putToken(root, 'alice', 'mytok');
    await store.scan(first);
    spoil('alice');
    expect([await brokenAt(299, hurry), await brokenAt(301, hurry)]).toEqual([[], ['alice']]);
  });

  it('a hurry that begins half way leaves no directory without its look', async () => {
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

describe('R4 a scan that was interrupted', () => {
  it('is not a look at every file: the next one is', async () => {
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
    ['when its first change was long ago, at the next full look only', 3, false],
  ])('scanned %s: the second change is seen', async (_, age, isSeen) => {
    putToken(root, 'alice', 'mytok');
    const changed = first.wall - age;
    utimesSync(join(root, 'alice'), changed, changed);
    await store.scan(first);
    replaceUnseen(changed, '[]');
    expect([await brokenAt(1), await brokenAt(100)]).toEqual([isSeen ? ['alice'] : [], ['alice']]);
  });

  it('a directory that has come to rest is not opened any more', async () => {
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
