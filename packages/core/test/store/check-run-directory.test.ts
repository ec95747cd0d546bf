// The directory of the files that users read: created without its parents, open to read,
// and closed to other writers.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkRunDirectory } from '../../src/store/directory-trust.ts';
import { isRoot } from '../base/privileges.ts';

let top: string;
let path: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'credmon-run-'));
  path = join(top, 'run');
});

const outcome = (create = true): string => {
  try {
    const real = checkRunDirectory(path, { create, condor: { uid: 64_000, gid: 64_000 } });
    return `${real} ${(statSync(path).mode & 0o7777).toString(8)}`.replaceAll(top, '$T');
  } catch (error) {
    return (error as Error).message.replaceAll(top, '$T');
  }
};

it('is created with mode 755, for any umask', () => {
  const umask = process.umask(0o077);
  try {
    expect(outcome()).toBe('$T/run 755');
  } finally {
    process.umask(umask);
  }
});

it('is not created for a check, nor where the directory above it is missing', () => {
  expect(outcome(false)).toBe(
    'the run directory $T/run does not exist; fix: install -d -o root -m 0755 $T/run',
  );
  path = join(path, 'below');
  expect(outcome()).toBe(
    'the run directory $T/run/below cannot be created: $T/run does not exist; fix: install -d -o root -m 0755 $T/run/below',
  );
});

it('may be readable for others, but not writable', () => {
  mkdirSync(path);
  chmodSync(path, 0o755);
  expect(outcome()).toBe('$T/run 755');
  chmodSync(path, 0o1777);
  expect(outcome()).toBe(
    'the run directory $T/run has mode 1777: every user can write to it; fix: chmod o-w $T/run',
  );
});

it('is never a symbolic link', () => {
  symlinkSync('.', path);
  expect(outcome()).toBe(
    'the run directory $T/run is a symbolic link to ., not a directory; fix: set CREDMON_RUN_DIR to that directory',
  );
});

describe.runIf(isRoot)('its owner', () => {
  it.each([
    [0, true],
    [64_000, true],
    [64_001, false],
  ])('%i: trusted %s', (uid, trusted) => {
    mkdirSync(path);
    chmodSync(path, 0o755);
    chownSync(path, uid, 0);
    expect(outcome()).toMatch(
      trusted ? /^\$T\/run 755$/ : /owned by user id 64001, who can replace the files in it/,
    );
  });
});
