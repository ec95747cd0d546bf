// The credential directory before anything is written: created if allowed, rejected if
// other users have access.
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
import { checkCredentialDirectory } from '../../src/store/directory-trust.ts';
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
  it('is created with mode 2770, for any umask, if allowed', () => {
    const umask = process.umask(0o077);
    try {
      expect(outcome(true)).toBe('2770');
    } finally {
      process.umask(umask);
    }
  });

  it('is not created unless allowed, and the error has the command', () => {
    expect(outcome(false)).toMatch(/does not exist; fix: install -d -o root -g condor -m 2770 /);
  });

  it.each([0o2770, 0o700, 0o750])('is accepted with mode %o, which is kept', (mode) => {
    outcome(true);
    chmodSync(path, mode);
    expect(outcome(false)).toBe(mode.toString(8));
  });

  it.each([0o2771, 0o2772, 0o2774, 0o777])(
    'is rejected with mode %o, which gives access to others',
    (mode) => {
      outcome(true);
      chmodSync(path, mode);
      expect(outcome(true)).toMatch(/other users can access it; fix: chmod o-rwx /);
    },
  );

  it('is rejected when it is a file or a link', () => {
    writeFileSync(path, '');
    expect(outcome(true)).toMatch(/not a directory/);
    path = `${path}2`;
    symlinkSync(tmpdir(), path);
    expect(outcome(true)).toMatch(/not a directory/);
  });

  it('is rejected when it is below a file', () => {
    writeFileSync(path, '');
    path = join(path, 'below');
    expect(outcome(true)).toMatch(/cannot be (created|checked as user id \d+) \(E[A-Z]+\)/);
  });
});

/** Ids without an account on this machine. */
const [CONDOR, STRANGER] = [64_000, 64_001];

describe.runIf(isRoot)('the owner of the credential directory and of its parents', () => {
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

  it('is rejected when it is another user, with the owner and the command', () => {
    give(STRANGER, CONDOR, 0o2770);
    expect(judged()).toMatch(
      /^CRED_DIR_INVALID the credential directory \$T\/creds is owned by user id 64001, who can replace the tokens in it; the owner must be root or the condor user; fix: chown root(:condor)? \$T\/creds$/,
    );
  });

  it('is not sufficient: another group with write permission is rejected', () => {
    give(0, STRANGER, 0o2770);
    expect(judged()).toBe(
      'CRED_DIR_INVALID the credential directory $T/creds has mode 2770: group id 64001 can write to it (only the groups of root and condor may); fix: chgrp condor $T/creds, or chmod g-w $T/creds',
    );
  });

  it('is not sufficient: a group without members may be the primary group of users in a directory service', () => {
    // Debian's group `users` without a member in /etc/group.
    const users = groupId('users') ?? STRANGER;
    give(0, users, 0o2770);
    expect(judged()).toContain(`has mode 2770: group id ${users} can write to it`);
    give(0, 0, 0o700);
    give(0, users, 0o775, top);
    expect(judged()).toContain('$T in its path has mode 0775');
  });

  it.each([
    [STRANGER, 0, 0o755, 'is owned by user id 64001, who can replace it', 'chown root $T'],
    [STRANGER, 0, 0o1777, 'is owned by user id 64001, who can replace it', 'chown root $T'],
    [0, 0, 0o777, 'has mode 0777: every user can write to it', 'chmod o-w $T'],
    [0, STRANGER, 0o775, 'has mode 0775: group id 64001 can write to it', 'chmod g-w $T'],
  ])('of a directory above it as %i:%i with mode %o is rejected', (uid, gid, mode, why, fix) => {
    give(uid, gid, mode, top);
    const start = `CRED_DIR_INVALID the credential directory $T/creds is not safe: the directory $T in its path ${why}`;
    expect(judged()).toContain(start);
    expect(judged().endsWith(`; fix: ${fix}`)).toBe(true);
    path = join(path, 'new');
    expect(judged(true)).toContain(`the directory $T in its path ${why}`);
  });

  it.each([
    [0, CONDOR, 0o775],
    [CONDOR, CONDOR, 0o755],
    [0, 0, 0o1777],
  ])('of a directory above it may be %i:%i with mode %o', (uid, gid, mode) => {
    give(uid, gid, mode, top);
    expect(judged()).toBe(path);
  });

  it('of a link in its path is checked, and the path without links is used', () => {
    const link = join(top, 'link');
    symlinkSync('.', link);
    const real = path;
    path = join(link, 'creds');
    expect(judged()).toBe(real);
    lchownSync(link, CONDOR, CONDOR);
    expect(judged()).toBe(real);
    lchownSync(link, STRANGER, STRANGER);
    expect(judged()).toBe(
      'CRED_DIR_INVALID the credential directory $T/link/creds is not safe: the symbolic link $T/link in its path is owned by user id 64001, who can replace it; the owner must be root or the condor user; fix: chown -h root $T/link',
    );
  });

  it.each([
    ['.', 'symbolic link to ., not a directory; fix: set SEC_CREDENTIAL_DIRECTORY_OAUTH'],
    [
      '/nowhere/at/all',
      'dangling symbolic link to /nowhere/at/all, not a directory; fix: rm $T/alias',
    ],
  ])('a link to %s in its place is rejected as a link', (target, fix) => {
    path = join(top, 'alias');
    symlinkSync(target, path);
    expect(judged(true)).toContain(`symbolic link to ${target}, not a directory`);
    expect(judged(true)).toContain(fix);
    path += '/';
    expect(judged(true)).toContain('symbolic link to');
  });

  it('a dangling link in its path is named', () => {
    symlinkSync('/nowhere/at/all', join(top, 'alias'));
    path = join(top, 'alias/creds');
    expect(judged()).toContain('$T/alias is a dangling symbolic link to /nowhere/at/all');
    expect(judged(true)).toContain('$T/alias is a dangling symbolic link to /nowhere/at/all');
  });
});
