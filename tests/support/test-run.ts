// What surrounds a whole test run: one temporary directory, the search for processes that
// tests left behind, and the list of what was skipped.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { RUN_MARKER } from '../../test-fixtures/src/processes/processes.ts';
import { readSkipped } from '../../test-fixtures/src/processes/skipped.ts';
import { endLeftovers } from './leftovers.ts';

const PREFIX = 'credmon-tests-';

/** Prepares the run before any worker starts; answers with its end. */
export default function testRun(): () => Promise<void> {
  const before = process.env['TMPDIR'];
  // Every project runs this; the first one's directory serves all.
  if (before?.includes(PREFIX) === true) return async () => undefined;
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  // Some tests act as another user.
  chmodSync(directory, 0o755);
  process.env['TMPDIR'] = directory;
  process.env[RUN_MARKER] = basename(directory);
  return async () => {
    const left = await endLeftovers(basename(directory), directory);
    const skipped = readSkipped(directory);
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    delete process.env[RUN_MARKER];
    rmSync(directory, { recursive: true, force: true });
    if (skipped.length > 0)
      console.log(`\nNot tested here:\n${skipped.map((reason) => `  ${reason}\n`).join('')}`);
    if (left.length === 0) return;
    process.exitCode = 1;
    throw new Error(`tests left processes behind, which were killed now:\n${left.join('\n')}`);
  };
}
