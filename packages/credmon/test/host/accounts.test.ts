// Which accounts users of the credential directory have, and how often that is asked.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accountsIn, createAccounts, createAskers, hasDirectory } from '../../src/host/accounts.ts';
import type { AccountIds } from '@credmon/core/config';

const [alice, bob] = [
  { uid: 1001, gid: 100 },
  { uid: 1002, gid: 100 },
];

/** Accounts by a directory that a test changes. */
function bench(self = 0) {
  const directory = new Map<string, AccountIds>([
    ['alice', alice],
    ['bob', bob],
  ]);
  const state = { now: 0, silent: false };
  const asked: string[][] = [];
  const accounts = createAccounts(
    self,
    async (names) => {
      asked.push([...names]);
      return state.silent ? undefined : directory;
    },
    () => state.now,
  );
  return { directory, state, asked, accounts };
}

it('nothing is known before a look-up, then ids or that there is no account', async () => {
  const { accounts } = bench();
  expect(accounts.known('alice')).toBeUndefined();
  await accounts.lookUp(['alice', 'carl']);
  expect([accounts.known('alice'), accounts.known('carl')]).toEqual([alice, 'none']);
});

it.each([
  ['a known account after an hour', ['alice'], 3599, 3600],
  ['a missing one after five minutes', ['carl'], 299, 300],
])('looks up %s again', async (_, names, before, after) => {
  const { accounts, state, asked } = bench();
  await accounts.lookUp(names);
  state.now = before;
  await accounts.lookUp(names);
  expect(asked).toHaveLength(1);
  state.now = after;
  await accounts.lookUp(names);
  expect(asked).toHaveLength(2);
});

it('keeps what it knows while the name services are silent, and asks again after a minute', async () => {
  const { accounts, state, asked } = bench();
  await accounts.lookUp(['alice']);
  [state.now, state.silent] = [3600, true];
  await accounts.lookUp(['alice', 'bob']);
  expect([accounts.known('alice'), accounts.known('bob')]).toEqual([alice, undefined]);
  state.silent = false;
  await accounts.lookUp(['alice', 'bob']);
  expect(accounts.known('bob')).toBeUndefined();
  state.now += 60;
  await accounts.lookUp(['alice', 'bob']);
  expect(accounts.known('bob')).toEqual(bob);
  expect(asked).toEqual([['alice'], ['alice', 'bob'], ['alice', 'bob']]);
});

it('an account that is gone is gone after an hour; another id is used from then on', async () => {
  const { accounts, state, directory } = bench();
  await accounts.lookUp(['alice', 'bob']);
  directory.delete('alice');
  directory.set('bob', { uid: 2002, gid: 100 });
  state.now = 3600;
  await accounts.lookUp(['alice', 'bob']);
  expect([accounts.known('alice'), accounts.known('bob')]).toEqual([
    'none',
    { uid: 2002, gid: 100 },
  ]);
});

it('asks for at most a hundred names at once, and forgets names that are not asked for', async () => {
  const { accounts, asked } = bench();
  await accounts.lookUp(Array.from({ length: 250 }, (_, n) => `u${n}`));
  expect(asked.map(({ length }) => length)).toEqual([100, 100, 50]);
  await accounts.lookUp(['alice']);
  expect(accounts.known('u1')).toBeUndefined();
});

it('a process that is not root sees only its own account', async () => {
  const { accounts } = bench(1002);
  await accounts.lookUp(['alice', 'bob']);
  expect([accounts.known('alice'), accounts.known('bob')]).toEqual(['none', bob]);
});

describe('a line of the password database', () => {
  it.each([
    ['alice:x:1001:100:A:/home/alice:/bin/sh', 'alice', alice],
    ['root:x:0:0:root:/root:/bin/sh', '0', undefined],
    ['alice:x:4294967295:100::/:', 'alice', undefined],
    ['alice:x:-1:100::/:', 'alice', undefined],
    ['alice:x::100::/:', 'alice', undefined],
    ['alice', 'alice', undefined],
  ])('%s: %s', (line, name, expected) => {
    expect(accountsIn(`${line}\n`, [name]).get(name)).toEqual(expected);
  });
});

it('finds the accounts of this machine, by name only', async () => {
  const accounts = createAccounts(0);
  await accounts.lookUp(['root', '0', '-x', 'no-such-user-here']);
  expect(['root', '0', '-x', 'no-such-user-here'].map((name) => accounts.known(name))).toEqual([
    { uid: 0, gid: 0 },
    'none',
    'none',
    'none',
  ]);
});

describe('of users who ask', () => {
  it('a name that takes long delays no other, and each name is looked up once', async () => {
    const asked: string[] = [];
    let answer: () => void = () => undefined;
    const askers = createAskers(
      0,
      async ([name = '']) => {
        asked.push(name);
        if (name === 'slow') await new Promise<void>((resolve) => void (answer = resolve));
        return new Map([['alice', alice]]);
      },
      () => 1,
    );
    const slow = [askers.lookUp(['slow']), askers.lookUp(['slow'])];
    await askers.lookUp(['alice']);
    await askers.lookUp(['bob']);
    await askers.lookUp(['alice']);
    expect(['alice', 'bob', 'slow'].map((name) => askers.known(name))).toEqual([
      alice,
      'none',
      undefined,
    ]);
    answer();
    await Promise.all(slow);
    expect([asked, askers.known('slow')]).toEqual([['slow', 'alice', 'bob'], 'none']);
  });

  it('the last thousand names are remembered', async () => {
    const askers = createAskers(
      0,
      async () => new Map(),
      () => 1,
    );
    for (let n = 0; n <= 1000; n += 1) await askers.lookUp([`u${n}`]);
    expect(['u0', 'u1', 'u1000'].map((name) => askers.known(name))).toEqual([
      undefined,
      'none',
      'none',
    ]);
  });
});

it('a user has a directory in the credential directory, not a file or a link', () => {
  const top = mkdtempSync(join(tmpdir(), 'credmon-accounts-'));
  mkdirSync(join(top, 'alice'));
  writeFileSync(join(top, 'bob'), '');
  symlinkSync('alice', join(top, 'carl'));
  expect(['alice', 'bob', 'carl', 'dave'].map((name) => hasDirectory(top, name))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  rmSync(top, { recursive: true });
});
