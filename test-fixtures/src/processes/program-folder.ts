// A directory for token programs. It is below the home directory, because programs below
// /tmp are rejected: other users could change them.
import { mkdtempSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Creates a private directory whose parent directories other users cannot change. The
 * caller removes it.
 */
export function programFolder(): string {
  return mkdtempSync(join(homedir(), '.credmon-test-'));
}
