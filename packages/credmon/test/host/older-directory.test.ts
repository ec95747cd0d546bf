// Credential directories as older recipes made them.
import { expect, it } from 'vitest';
import { olderDirectory, olderFormText } from '../../src/host/older-directory.ts';

const fix = 'fix: chown root:condor /creds && chmod 2770 /creds';

it.each([
  ["HTCondor's form", 0, 0o42770, undefined],
  ['a directory that only root can read', 0, 0o40700, undefined],
  ['0700 of the user condor', 64, 0o40700, 'owner 64, mode 0700'],
  ['2770 of the user condor', 64, 0o42770, 'owner 64, mode 2770'],
  ['0770 without the bit that passes the group on', 0, 0o40770, 'owner 0, mode 0770'],
])('R45 %s', (_, uid, mode, form) => {
  expect(olderFormText('/creds', { uid, mode }, 0)).toBe(
    form &&
      `/creds works, but its form is that of older recipes (${form}): HTCondor's is ` +
        `root:condor 2770; ${fix}`,
  );
});

it('in a pool of one user the directory is of that user', () => {
  expect(olderFormText('/creds', { uid: 1000, mode: 0o40700 }, 1000)).toBeUndefined();
});

it('a directory that is missing is left to other checks', () => {
  expect(olderDirectory('/none/creds')).toBeUndefined();
});
