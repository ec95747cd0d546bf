// Atomic replacement on a real file system: modes, leftovers and the names of temporary files.
import { mkdtempSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  stageFile,
  temporaryName,
  temporaryOwner,
  writeFileAtomically,
} from '../../src/base/atomic-write.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-atomic-'));
});

describe('writing atomically', () => {
  it('R20 gives the final mode whatever the umask, and leaves only the file', () => {
    const umask = process.umask(0);
    try {
      writeFileAtomically(join(directory, 'a.use'), 'token', { mode: 0o400, durable: true });
    } finally {
      process.umask(umask);
    }
    expect(readdirSync(directory)).toEqual(['a.use']);
    expect(statSync(join(directory, 'a.use')).mode & 0o7777).toBe(0o400);
    expect(readFileSync(join(directory, 'a.use'), 'utf8')).toBe('token');
  });

  it('replaces a link instead of following it', () => {
    const target = join(directory, 'target');
    writeFileSync(target, 'untouched');
    symlinkSync(target, join(directory, 'a.use'));
    writeFileAtomically(join(directory, 'a.use'), 'new', { mode: 0o400, durable: false });
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(readFileSync(join(directory, 'a.use'), 'utf8')).toBe('new');
  });

  it('R21 never creates the directory', () => {
    expect(() =>
      writeFileAtomically(join(directory, 'gone', 'a.use'), 'x', { mode: 0o400, durable: true }),
    ).toThrow(/ENOENT/);
  });

  it('shows nothing before commit and nothing after discard', () => {
    const staged = stageFile(join(directory, 'a.top'), 'x', { mode: 0o400, durable: true });
    expect(readdirSync(directory)).not.toContain('a.top');
    staged.discard();
    staged.discard();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('R12 names its temporary files so that the process can be told', () => {
    expect(temporaryOwner(temporaryName('/x/my.use').slice(3))).toBe(process.pid);
    expect(temporaryOwner('my.use')).toBeUndefined();
  });
});
