// Private groups of a user, by the accounts of this machine.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isPrivateGroup } from '../../../src/config/machine/accounts.ts';

const rows = (path: string): string[][] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
const users = rows('/etc/passwd');
const groups = rows('/etc/group');
const privateUser = users.find(
  ([name, , , gid]) =>
    groups.some(([group, , id, members]) => group === name && id === gid && members === '') &&
    users.filter((user) => user[3] === gid).length === 1,
);

it('a private group belongs to its owner only', () => {
  const [, , uid, gid] = privateUser ?? [];
  expect(isPrivateGroup(Number(gid), (id) => id === Number(uid))).toBe(true);
  expect(isPrivateGroup(Number(gid), () => false)).toBe(false);
});

it('a group without the name of a user is not private, for any trusted users', () => {
  const shared = groups.filter(([name]) => !users.some((user) => user[0] === name));
  expect(shared.length).toBeGreaterThan(0);
  for (const [, , gid] of shared) expect(isPrivateGroup(Number(gid), () => true)).toBe(false);
});
