// The groups of the users of this machine.
import { readFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { systemMemberships } from '../../src/host/memberships.ts';

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
