// The credential directory before anything is written: made when allowed, refused when others may get in.
import { chmodSync, mkdtempSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkCredentialDirectory } from '../../src/store/check-directory.ts';

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
    expect(outcome(false)).toMatch(/does not exist; to mend it: install -d -o root -g condor -m 2770 /);
  });

  it.each([0o2770, 0o700, 0o750])('is accepted with mode %o, which stays', (mode) => {
    outcome(true);
    chmodSync(path, mode);
    expect(outcome(false)).toBe(mode.toString(8));
  });

  it.each([0o2771, 0o2772, 0o2774, 0o777])('is refused with mode %o, which lets others in', (mode) => {
    outcome(true);
    chmodSync(path, mode);
    expect(outcome(true)).toMatch(/so that other users can get in; to mend it: chmod o-rwx /);
  });

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
    expect(outcome(true)).toMatch(/cannot be (created|looked at by user id \d+) \(E[A-Z]+\)/);
  });
});
