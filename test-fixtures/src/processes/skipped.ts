// The reasons of skipped tests: the workers record them, and the end of the run lists
// them.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILE = 'skipped';

/** Records a reason for the list at the end of the run. */
export function noteSkipped(reason: string): void {
  appendFileSync(join(tmpdir(), FILE), `${reason}\n`);
}

/**
 * Records that `what` is missing, and how to install it. Returns true, for
 * `describe.skipIf`.
 * @throws Error in CI, so that the file counts as failed
 */
export function skipWithout(what: string, remedy: string): true {
  const reason = `${what} missing; to run these tests: ${remedy}`;
  if ((process.env['CI'] ?? '') !== '') throw new Error(reason);
  noteSkipped(reason);
  return true;
}

/** Returns the recorded reasons of this run, each once. */
export function readSkipped(directory: string): string[] {
  const path = join(directory, FILE);
  if (!existsSync(path)) return [];
  return [...new Set(readFileSync(path, 'utf8').split('\n'))].filter((line) => line !== '').sort();
}
