// The real environment of the commands: which files are read, and which are rejected.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemIo } from '../../src/cli/io.ts';

const directory = mkdtempSync(join(tmpdir(), 'scitokens-io-'));
const io = systemIo();
const at = (name: string): string => join(directory, name);
writeFileSync(at('own'), 'mine');
writeFileSync(at('large'), Buffer.alloc(1024 * 1024 + 1));
mkdirSync(at('directory'));
symlinkSync(at('own'), at('link'));
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await io.close();
});
const unreadable = expect.objectContaining({ code: 'TOKEN_UNREADABLE' });

describe('files', () => {
  it('are read completely, also through a link', () => {
    expect([
      io.readFile(at('own')),
      io.readFile(at('link')),
      io.readIfThere(at('own'), true),
    ]).toEqual(['mine', 'mine', 'mine']);
  });

  it('if missing, are an error or `undefined`, as requested', () => {
    expect(() => io.readFile(at('no'))).toThrow(unreadable);
    expect(io.readIfThere(at('no'), true)).toBeUndefined();
  });

  it.each(['directory', 'large'])('are rejected when they are a %s', (name) => {
    expect(() => io.readFile(at(name))).toThrow(unreadable);
  });

  it.runIf(process.geteuid?.() === 0)(
    'of another user are read when named, and rejected with a predictable name',
    () => {
      writeFileSync(at('foreign'), 'theirs');
      chownSync(at('foreign'), 12345, 12345);
      expect(io.readIfThere(at('foreign'), false)).toBe('theirs');
      expect(() => io.readIfThere(at('foreign'), true)).toThrow(unreadable);
    },
  );

  it('that are a FIFO are read when named, and rejected at once with a predictable name', () => {
    execFileSync('mkfifo', [at('fifo')]);
    expect(() => io.readIfThere(at('fifo'), true)).toThrow(
      expect.objectContaining({ message: `${at('fifo')} is not a regular file` }),
    );
    spawn('sh', ['-c', 'printf mine > "$0"', at('fifo')]);
    expect(io.readIfThere(at('fifo'), false)).toBe('mine');
  });

  it('are written atomically with their mode', () => {
    io.writeFile(at('new'), 'text', 0o600);
    expect([io.exists(at('new')), io.readFile(at('new'))]).toEqual([true, 'text']);
  });
});
