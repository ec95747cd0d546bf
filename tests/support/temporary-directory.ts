// One temporary directory for a whole test run, removed at its end: whatever a test leaves there goes with it.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'credmon-tests-';

/** Makes it, before any worker starts; answers with its removal. */
export default function temporaryDirectory(): () => void {
  const before = process.env['TMPDIR'];
  // Every project runs this; the first one's directory serves all.
  if (before?.includes(PREFIX) === true) return () => undefined;
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  // Some tests act as another user.
  chmodSync(directory, 0o755);
  process.env['TMPDIR'] = directory;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(directory, { recursive: true, force: true });
  };
}
