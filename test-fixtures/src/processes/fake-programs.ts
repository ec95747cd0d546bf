// Installs fakes of condor_store_cred, htgettoken and pelican in a directory for PATH.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The programs with a fake. */
export type FakeProgram = 'condor_store_cred' | 'htgettoken' | 'pelican';

/**
 * Installs the named fakes in `directory`. They are configured by FAKE_... variables in
 * the environment.
 */
export function installPrograms(directory: string, names: readonly FakeProgram[]): void {
  mkdirSync(directory, { recursive: true });
  for (const name of names) {
    const script = fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url));
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
    chmodSync(path, 0o755);
  }
}
