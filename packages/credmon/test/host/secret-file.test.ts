// Secret files that cannot even be looked at are one token's trouble, never the daemon's.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readSecretFile, secretVersion } from '../../src/host/secret-file.ts';

it('R1 a link to itself is rejected with a reason and has no version', () => {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-secret-'));
  const path = join(directory, 'loop');
  symlinkSync(path, path);
  expect(readSecretFile(path)).toEqual({ ok: false, reason: 'is a symbolic link' });
  expect(secretVersion(path)).toBe('ELOOP');
  rmSync(directory, { recursive: true });
});
