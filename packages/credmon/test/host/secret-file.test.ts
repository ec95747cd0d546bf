// Secret files that cannot even be looked at are one token's trouble, never the daemon's.
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSecretReader, readSecretFile, secretVersion } from '../../src/host/secret-file.ts';

it('R1 a link to itself is rejected with a reason and has no version', () => {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-secret-'));
  const path = join(directory, 'loop');
  symlinkSync(path, path);
  expect(readSecretFile(path)).toEqual({ ok: false, reason: 'is a symbolic link' });
  expect(secretVersion(path)).toBe('ELOOP');
  rmSync(directory, { recursive: true });
});

it('R1 a secret is used again only while its path leads to the same unchanged file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-secret-'));
  const path = join(directory, 'secret');
  const write = (name: string, text: string): void =>
    writeFileSync(join(directory, name), `${text}\n`, { mode: 0o600 });
  const read = createSecretReader();
  expect(read(path)).toEqual({ ok: false, reason: 'is missing' });
  write('secret', 'one');
  const first = read(path);
  expect(first).toEqual({ ok: true, value: 'one' });
  expect(read(path)).toBe(first);
  expect(read(path, 'whole')).toEqual({ ok: true, value: 'one\n' });
  write('next', 'two');
  renameSync(join(directory, 'next'), path);
  expect(read(path)).toEqual({ ok: true, value: 'two' });
  write('secret', 'three');
  expect(read(path)).toEqual({ ok: true, value: 'three' });
  chmodSync(path, 0o644);
  expect(read(path)).toMatchObject({ ok: false });
  rmSync(directory, { recursive: true });
});
