// The private key of a client, which only its owner may read.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readClientKeyFile } from '../../src/host/served-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'credmon-key-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'client.pem');

function read(mode: number): string {
  writeFileSync(path, 'CANARY-key');
  chmodSync(path, mode);
  try {
    return readClientKeyFile(path);
  } catch (error) {
    return String(error);
  }
}

describe("R29 a client's private key", () => {
  it.each([0o600, 0o400])('with mode %o is read', (mode) => {
    expect(read(mode)).toBe('CANARY-key');
  });

  it.each([0o640, 0o644, 0o666])('with mode %o is rejected', (mode) => {
    expect(read(mode)).toMatch(/can be read by others/);
    expect(read(mode)).not.toContain('CANARY');
  });

  it('that is missing is named', () => {
    expect(() => readClientKeyFile(join(folder, 'none.pem'))).toThrow(/none\.pem/);
  });
});
