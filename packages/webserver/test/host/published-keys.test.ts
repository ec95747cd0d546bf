// The public key is read again when the file that its path leads to is another one.
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openPublicKeys } from '../../src/host/served-files.ts';

let volume: string;
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'credmon-public-key-'));
  // Files that changed a moment ago are read each time.
  vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
});
afterEach(() => vi.useRealTimers());

/** Makes a version of the volume, as container orchestrators do: links swapped by rename. */
function mount(version: string): void {
  mkdirSync(join(volume, version));
  writeFileSync(join(volume, version, 'public.pem'), version);
  symlinkSync(version, join(volume, '..data.new'));
  renameSync(join(volume, '..data.new'), join(volume, '..data'));
}

it('R32 a new key is published at once when the path is a link, as in a mounted volume', () => {
  const publicKeyFile = join(volume, 'public.pem');
  mount('first');
  symlinkSync('..data/public.pem', publicKeyFile);
  const { readPublicKey } = openPublicKeys({ issuer: '', publicKeyFile, keyId: 'local' });
  expect([readPublicKey(), readPublicKey()]).toEqual(['first', 'first']);
  mount('other');
  expect(readPublicKey()).toBe('other');
});
