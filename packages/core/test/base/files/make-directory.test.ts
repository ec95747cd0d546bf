// Directories are created step by step, and a file system that cannot hold them is an
// error.
import { mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { makeDirectory } from '../../../src/base/files/safe-directory.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'credmon-mkdir-'));
});

it('creates the directory and its missing parents, each with the mode', () => {
  makeDirectory(join(root, 'a/b/c'), 0o700);
  for (const path of ['a', 'a/b', 'a/b/c'])
    expect((statSync(join(root, path)).mode & 0o777).toString(8)).toBe('700');
});

it('does not change an existing directory', () => {
  mkdirSync(join(root, 'a'), { mode: 0o750 });
  makeDirectory(join(root, 'a'), 0o700);
  expect((statSync(join(root, 'a')).mode & 0o777).toString(8)).toBe('750');
});

it('a file at the path of the directory or of a parent is an error', () => {
  writeFileSync(join(root, 'file'), '');
  expect(() => makeDirectory(join(root, 'file'), 0o700)).toThrow(/EEXIST/);
  expect(() => makeDirectory(join(root, 'file/a/b'), 0o700)).toThrow(/ENOTDIR/);
});

it('ends where nothing can be created: below /proc, where mkdir returns ENOENT', () => {
  expect(() => makeDirectory('/proc/credmon', 0o700)).toThrow(/ENOENT/);
  expect(() => makeDirectory('/proc/credmon/a/b', 0o700)).toThrow(/ENOENT/);
});
