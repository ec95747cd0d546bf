// The programs are built where nothing was built before, as in a fresh checkout.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/bundle.mjs', import.meta.url));

const node = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE * 1000 });

it('builds programs into an empty directory', () => {
  const output = mkdtempSync(join(tmpdir(), 'credmon-bundle-'));
  expect(node(SCRIPT, output)).toMatchObject({ stderr: '', status: 0 });
  const program = join(output, 'packages/credmon/dist/bin/condor_credmon.cjs');
  expect(node(program, '--version')).toMatchObject({ stderr: '', status: 0 });
});
