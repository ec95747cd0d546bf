// The groups of the users of this machine.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  rememberMemberships,
  systemMemberships,
  type Memberships,
} from '../../src/host/memberships.ts';

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
