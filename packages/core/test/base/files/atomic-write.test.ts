// Atomic replacement on a real file system: modes, leftovers and the names of temporary
// files.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  stageFile,
  temporaryName,
  temporaryOwner,
  writeFileAtomically,
} from '../../../src/base/files/atomic-write.ts';
import { isRoot, makeReadOnly, mayMount, onSmallDisk } from '../privileges.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-atomic-'));
});

describe('writing atomically', () => {
  it.each([0, 0o777])(
    'R20 sets the final mode under the umask %o, and leaves only the file',
    (mask) => {
      const umask = process.umask(mask);
      try {
        writeFileAtomically(join(directory, 'a.use'), 'token', { mode: 0o400, durable: true });
      } finally {
        process.umask(umask);
      }
      expect(readdirSync(directory)).toEqual(['a.use']);
      expect(statSync(join(directory, 'a.use')).mode & 0o7777).toBe(0o400);
      expect(readFileSync(join(directory, 'a.use'), 'utf8')).toBe('token');
    },
  );

  it('replaces a link and does not follow it', () => {
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

  it('R12 puts the process id into the names of temporary files', () => {
    for (const locked of [true, false])
      expect(temporaryOwner(temporaryName('/x/my.use', locked).slice(3))).toEqual({
        pid: process.pid,
        locked,
      });
    expect(temporaryOwner('my.use')).toBeUndefined();
  });

  it('writes bytes and empty files unchanged', () => {
    writeFileAtomically(join(directory, 'a'), Uint8Array.of(0, 255), {
      mode: 0o600,
      durable: false,
    });
    writeFileAtomically(join(directory, 'b'), '', { mode: 0o600, durable: false });
    expect([...readFileSync(join(directory, 'a'))]).toEqual([0, 255]);
    expect(readFileSync(join(directory, 'b'))).toHaveLength(0);
  });

  it('leaves no temporary file when the name is taken by a directory', () => {
    mkdirSync(join(directory, 'a.use', 'x'), { recursive: true });
    expect(() =>
      writeFileAtomically(join(directory, 'a.use'), 'token', { mode: 0o400, durable: true }),
    ).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(directory)).toEqual(['a.use']);
  });

  it('R12 replaces a leftover of the same name from a dead process with our process id', () => {
    const [, start] = /\.(\d+)\.credmon-tmp$/.exec(temporaryName(join(directory, 'a.use'))) ?? [];
    const stray = `.a.use.${process.pid}.${Number(start) + 1}.credmon-tmp`;
    writeFileSync(join(directory, stray), 'old secret', { mode: 0o400 });
    const staged = stageFile(join(directory, 'a.use'), 'new', { mode: 0o400, durable: false });
    expect(staged.temporaryPath).toBe(join(directory, stray));
    staged.commit();
    expect(readdirSync(directory)).toEqual(['a.use']);
    expect(readFileSync(join(directory, 'a.use'), 'utf8')).toBe('new');
  });

  it('R12 does not follow a link at the path of the temporary file', () => {
    const target = join(directory, 'target');
    writeFileSync(target, 'untouched');
    const [, start] = /\.(\d+)\.credmon-tmp$/.exec(temporaryName(join(directory, 'a.use'))) ?? [];
    symlinkSync(target, join(directory, `.a.use.${process.pid}.${Number(start) + 1}.credmon-tmp`));
    writeFileAtomically(join(directory, 'a.use'), 'new', { mode: 0o400, durable: false });
    expect(readFileSync(target, 'utf8')).toBe('untouched');
  });

  it.skipIf(!isRoot)('changes the owner of the file to the configured one', () => {
    writeFileAtomically(join(directory, 'a.use'), 'token', {
      mode: 0o400,
      durable: false,
      owner: { uid: 12_345, gid: 23_456 },
    });
    const { uid, gid, mode } = statSync(join(directory, 'a.use'));
    expect([uid, gid, mode & 0o7777]).toEqual([12_345, 23_456, 0o400]);
  });

  it.skipIf(!mayMount)('R13 a full disk leaves the old file and no temporary one', () => {
    onSmallDisk(directory, () => {
      const path = join(directory, 'a.top');
      writeFileAtomically(path, 'old', { mode: 0o400, durable: true });
      expect(() =>
        writeFileAtomically(path, 'x'.repeat(200_000), { mode: 0o400, durable: true }),
      ).toThrow(/ENOSPC/);
      expect(readdirSync(directory)).toEqual(['a.top']);
      expect(readFileSync(path, 'utf8')).toBe('old');
    });
  });

  it.skipIf(!mayMount)('R13 a read-only file system is reported, and the old file stays', () => {
    onSmallDisk(directory, () => {
      const path = join(directory, 'a.top');
      writeFileAtomically(path, 'old', { mode: 0o400, durable: true });
      makeReadOnly(directory);
      expect(() => writeFileAtomically(path, 'new', { mode: 0o400, durable: true })).toThrow(
        /EROFS/,
      );
      expect(readFileSync(path, 'utf8')).toBe('old');
    });
  });
});
