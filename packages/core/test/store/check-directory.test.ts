// The credential directory before anything is written: made when allowed, refused when
// others may get in.
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CodedError } from '../../src/base/errors/errors.ts';
import { groupId } from '../../src/config/machine/accounts.ts';
import { checkCredentialDirectory } from '../../src/store/check-directory.ts';
import { isRoot } from '../base/privileges.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'credmon-check-')), 'creds');
});

const outcome = (create: boolean): unknown => {
  try {
    checkCredentialDirectory(path, { create });
    return (statSync(path).mode & 0o7777).toString(8);
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the credential directory', () => {
  it('is made with mode 2770, whatever the umask, when it may be', () => {
    const umask = process.umask(0o077);
    try {
      expect(outcome(true)).toBe('2770');
    } finally {
      process.umask(umask);
    }
  });

  it('is not made when it may not be, and the command that makes it is named', () => {
    expect(outcome(false)).toMatch(/does not exist; fix: install -d -o root -g condor -m 2770 /);
  });

  it.each([0o2770, 0o700, 0o750])('is accepted with mode %o, which stays', (mode) => {
    outcome(true);
    chmodSync(path, mode);
    expect(outcome(false)).toBe(mode.toString(8));
  });

  it.each([0o2771, 0o2772, 0o2774, 0o777])(
    'is refused with mode %o, which lets others in',
    (mode) => {
      outcome(true);
      chmodSync(path, mode);
      expect(outcome(true)).toMatch(/so that other users can get in; fix: chmod o-rwx /);
    },
  );

  it('is refused when it is a file or a link', () => {
    writeFileSync(path, '');
    expect(outcome(true)).toMatch(/is not a directory/);
    path = `${path}2`;
    symlinkSync(tmpdir(), path);
    expect(outcome(true)).toMatch(/is not a directory/);
  });

  it('is refused when it lies below a file', () => {
    writeFileSync(path, '');
    path = join(path, 'below');
    expect(outcome(true)).toMatch(/cannot be (created|read \(stat\) as user id \d+) \(E[A-Z]+\)/);
  });
});

/** Ids that no account of the machine has. */
const [CONDOR, STRANGER] = [64_000, 64_001];

describe.runIf(isRoot)('the owner of the credential directory and of what leads to it', () => {
  const judged = (create = false): string => {
    try {
      return checkCredentialDirectory(path, { create, condor: { uid: CONDOR, gid: CONDOR } });
    } catch (error) {
      const { code, message } = error as CodedError;
      return `${code} ${message}`.replaceAll(top, '$T');
    }
  };
  const give = (uid: number, gid: number, mode: number, name = path): void => {
    chownSync(name, uid, gid);
    chmodSync(name, mode);
  };
  let top: string;
  beforeEach(() => {
    top = path.slice(0, -'/creds'.length);
    mkdirSync(path, { mode: 0o700 });
  });

  it.each([
    [0, CONDOR, 0o2770],
    [CONDOR, CONDOR, 0o2770],
    [CONDOR, STRANGER, 0o700],
    [0, STRANGER, 0o750],
    [0, 0, 0o770],
  ])('is accepted as %i:%i with mode %o', (uid, gid, mode) => {
    give(uid, gid, mode);
    expect(judged()).toBe(path);
  });

  it('is refused when it is another user, with the owner and the command', () => {
    give(STRANGER, CONDOR, 0o2770);
    expect(judged()).toMatch(
      /^CRED_DIR_INVALID the credential directory \$T\/creds is owned by user id 64001, who can replace the tokens in it; the owner must be root or the condor user; fix: chown root(:condor)? \$T\/creds$/,
    );
  });

  it('is not enough: another group that may write is refused', () => {
    give(0, STRANGER, 0o2770);
    expect(judged()).toBe(
      'CRED_DIR_INVALID the credential directory $T/creds has mode 2770: group id 64001 can write to it, which is not the group of root or condor; fix: chgrp condor $T/creds, or chmod g-w $T/creds',
    );
  });

  it('is not enough: a group without members may be the primary group of users in a directory service', () => {
    // Debian's group `users`: without a member in /etc/group.
    const users = groupId('users') ?? STRANGER;
    give(0, users, 0o2770);
    expect(judged()).toContain(`has mode 2770: group id ${users} can write to it`);
    give(0, 0, 0o700);
    give(0, users, 0o775, top);
    expect(judged()).toContain('$T on the way to it has mode 0775');
  });

  it.each([
    [STRANGER, 0, 0o755, 'is owned by user id 64001, who can replace it', 'chown root $T'],
    [STRANGER, 0, 0o1777, 'is owned by user id 64001, who can replace it', 'chown root $T'],
    [0, 0, 0o777, 'has mode 0777: every user can write to it', 'chmod o-w $T'],
    [0, STRANGER, 0o775, 'has mode 0775: group id 64001 can write to it', 'chmod g-w $T'],
  ])('of a directory above it as %i:%i with mode %o is refused', (uid, gid, mode, why, fix) => {
    give(uid, gid, mode, top);
    const start = `CRED_DIR_INVALID the credential directory $T/creds is not safe: the directory $T on the way to it ${why}`;
    expect(judged()).toContain(start);
    expect(judged().endsWith(`; fix: ${fix}`)).toBe(true);
    path = join(path, 'new');
    expect(judged(true)).toContain(`the directory $T on the way to it ${why}`);
  });

  it.each([
    [0, CONDOR, 0o775],
    [CONDOR, CONDOR, 0o755],
    [0, 0, 0o1777],
  ])('of a directory above it may be %i:%i with mode %o', (uid, gid, mode) => {
    give(uid, gid, mode, top);
    expect(judged()).toBe(path);
  });

  it('of a link on the way counts, and the path without links is what is used', () => {
    const link = join(top, 'link');
    symlinkSync('.', link);
    const real = path;
    path = join(link, 'creds');
    expect(judged()).toBe(real);
    lchownSync(link, CONDOR, CONDOR);
    expect(judged()).toBe(real);
    lchownSync(link, STRANGER, STRANGER);
    expect(judged()).toBe(
      'CRED_DIR_INVALID the credential directory $T/link/creds is not safe: the symbolic link $T/link on the way to it is owned by user id 64001, who can replace it; the owner must be root or the condor user; fix: chown -h root $T/link',
    );
  });

  it.each([
    ['.', 'fix: name that directory'],
    ['/nowhere/at/all', ', which does not exist; fix: rm $T/alias'],
  ])('a link to %s in its place is refused as what it is', (target, fix) => {
    path = join(top, 'alias');
    symlinkSync(target, path);
    expect(judged(true)).toContain(`is not a directory, but a symbolic link to ${target}`);
    expect(judged(true)).toContain(fix);
    path += '/';
    expect(judged(true)).toContain('is not a directory, but a symbolic link');
  });

  it('a link on the way that leads nowhere is named', () => {
    symlinkSync('/nowhere/at/all', join(top, 'alias'));
    path = join(top, 'alias/creds');
    expect(judged()).toContain(
      '$T/alias is a symbolic link to /nowhere/at/all, which does not exist',
    );
    expect(judged(true)).toContain(
      '$T/alias is a symbolic link to /nowhere/at/all, which does not exist',
    );
  });
});
