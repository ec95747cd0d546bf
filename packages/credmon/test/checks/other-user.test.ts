// What `check` says when it runs as a user to whom the daemon's directories are closed.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { checkUserView } from '../../src/checks/run-directory.ts';
import { checkTokens } from '../../src/checks/tokens.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

const closed = vi.hoisted(() => new Set<string>());
vi.mock(import('node:fs'), async (importOriginal) => {
  const real = await importOriginal();
  return {
    ...real,
    accessSync: (path, mode) => {
      if (closed.has(String(path)))
        throw Object.assign(new Error('permission denied'), { code: 'EACCES', syscall: 'access' });
      real.accessSync(path, mode);
    },
  };
});

let on: CheckBench;
beforeEach(() => {
  on = checkBench();
});
afterEach(() => {
  closed.clear();
  on.close();
});

it('does not say that the daemon is not running, or that users see nothing', async () => {
  const run = join(on.root, 'run');
  mkdirSync(run, { mode: 0o755 });
  closed.add(run).add(on.credDir);
  const found = await on.findings({ CREDMON_RUN_DIR: run }, async (context) => [
    checkUserView(context),
    ...(await checkTokens(context)),
  ]);
  expect(found).toEqual([
    "warning users' view: permission denied: cannot check $R/run as this user",
    expect.stringMatching(
      /^error credential directory: the credential directory \$R\/creds is not readable, writable/,
    ),
    'warning daemon: permission denied: cannot check the daemon as this user',
  ]);
});
