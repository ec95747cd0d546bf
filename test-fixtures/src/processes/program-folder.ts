// A place for token programs: below the home directory, because one that lies below /tmp
// is refused as something that others could change.
import { mkdtempSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes a new, private directory below directories that nobody else can change; the
 * caller removes it.
 */
export function programFolder(): string {
  return mkdtempSync(join(homedir(), '.credmon-test-'));
}
