// Which accounts users of the credential directory have, how often that is asked, and the
// groups of the users of this machine.
import {
  type Memberships,
  accountsIn,
  createAccounts,
  createAskers,
  hasDirectory,
  rememberMemberships,
  systemMemberships,
} from '../../src/host/accounts.ts';
import type { AccountIds } from '@credmon/core/config';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

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
  const state = { now: 0, silent: false, seconds: 0 };
  const asked: string[][] = [];
  const accounts = createAccounts(
    self,
    async (names) => {
      asked.push([...names]);
      state.now += state.seconds;
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

it('asks for a hundred names at once, and for more after a fast answer', async () => {
  const { accounts, asked, state } = bench();
  const names = Array.from({ length: 7000 }, (_, n) => `u${n}`);
  await accounts.lookUp(names);
  expect(asked.map(({ length }) => length)).toEqual([100, 200, 400, 800, 1600, 1600, 1600, 700]);
  expect(asked.flat()).toEqual(names);
  asked.length = 0;
  state.now = 1000;
  state.seconds = 1;
  await accounts.lookUp(names.slice(0, 250));
  expect(asked.map(({ length }) => length)).toEqual([100, 100, 50]);
});

it('forgets names that are not asked for', async () => {
  const { accounts } = bench();
  await accounts.lookUp(['u1']);
  expect(accounts.known('u1')).toBe('none');
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

const path = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = path;
});
const { groupsOf, idOf } = systemMemberships;
const idIn = (file: string, name: string): number =>
  Number(new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(readFileSync(file, 'utf8'))?.[1]);

it('the groups of a user are those of the account', async () => {
  expect(await groupsOf(0)).toContain(0);
  const uid = idIn('/etc/passwd', 'daemon');
  expect(await groupsOf(uid)).toContain(idIn('/etc/group', 'daemon'));
});

it('a user who does not exist is in no group but the own number', async () => {
  expect([...((await groupsOf(3_999_999)) ?? [])].filter((gid) => gid !== 3_999_999)).toEqual([]);
});

it('a group has an id, or there is none', async () => {
  expect(await idOf('daemon')).toBe(idIn('/etc/group', 'daemon'));
  expect(await idOf('no-such-group-here')).toBe('none');
  // getent takes a number for an id.
  expect(await idOf('0')).toBe('none');
});

it('without the programs of the name services nothing is known', async () => {
  process.env['PATH'] = '/nowhere';
  expect([await groupsOf(0), await idOf('daemon')]).toEqual([undefined, undefined]);
});

describe('look-ups are remembered', () => {
  let asked: string[];
  let now: number;
  let answers: boolean;
  beforeEach(() => {
    [asked, now, answers] = [[], 0, true];
  });
  const remembered = (most = 10): Memberships =>
    rememberMemberships(
      {
        groupsOf: async (uid) => {
          asked.push(String(uid));
          return answers ? new Set([uid]) : undefined;
        },
        idOf: async (group) => {
          asked.push(group);
          return answers ? 7 : undefined;
        },
      },
      { steady: () => now, most },
    );

  it('for 30 s, and at once for those who ask at the same time', async () => {
    const { groupsOf, idOf } = remembered();
    await Promise.all([groupsOf(1), groupsOf(1), idOf('a'), idOf('a')]);
    now = 29;
    expect([await groupsOf(1), await idOf('a'), asked]).toEqual([new Set([1]), 7, ['1', 'a']]);
    now = 31;
    await Promise.all([groupsOf(1), idOf('a')]);
    expect(asked).toEqual(['1', 'a', '1', 'a']);
  });

  it('but not if the name services did not answer', async () => {
    const { groupsOf } = remembered();
    answers = false;
    expect(await groupsOf(1)).toBeUndefined();
    answers = true;
    expect(await groupsOf(1)).toEqual(new Set([1]));
  });

  it('up to a number of users: the oldest is forgotten', async () => {
    const { groupsOf } = remembered(2);
    for (const uid of [1, 2, 3, 3, 2, 1]) await groupsOf(uid);
    expect(asked).toEqual(['1', '2', '3', '1']);
  });
});
