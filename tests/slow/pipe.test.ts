// Output to a reader that has gone away, as in `condor_credmon status | head`: a quiet
// end with the command's own exit code.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { executablePath, type Executable } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = createWorkspace();
  workspace.configure({ LOCAL_CREDMON_PROVIDER_NAMES: '' });
});
afterAll(() => workspace.remove());

const pathOf = (program: string): string =>
  program.startsWith('scitokens')
    ? join(root, 'packages/scitokens/dist/bin', `${program}.js`)
    : executablePath(root, program as Executable);

/**
 * Runs a program; `closed` says which of its outputs nobody reads. Returns the exit code
 * and what came from the other.
 */
function run(
  program: string,
  args: readonly string[],
  closed?: 'stdout' | 'stderr',
): Promise<{ code: number | null; other: string }> {
  // It ends by itself, and only so can one of its outputs be closed.
  const child = spawn(process.execPath, [pathOf(program), ...args], {
    env: workspace.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let other = '';
  if (closed) child[closed].destroy();
  const open = closed === 'stdout' ? child.stderr : child.stdout;
  open.on('data', (chunk: Buffer) => {
    other += chunk.toString('utf8');
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, other })));
}

describe('a reader that is gone', () => {
  it.each([
    ['condor_credmon', ['--help']],
    ['condor_credmon', ['status']],
    ['condor_credmon', ['check']],
    ['condor_credmon', ['config', 'dump']],
    ['condor_credmon_webserver', ['--help']],
    ['condor_credmon_webserver', ['--check']],
    ['condor_credential_storer', ['--help']],
    ['condor_credmon_mytoken', ['--help']],
    ['scitokens', ['--help']],
    ['scitokens-verify-token', ['--help']],
  ])('of %s %j is nobody’s error', async (program, args) => {
    const whole = await run(program, args);
    const cut = await run(program, args, 'stdout');
    expect(cut.code).toBe(whole.code);
    expect(cut.other).not.toMatch(/EPIPE|\n\s+at /);
  });

  it.each([
    ['condor_credmon', ['--bogus'], 2],
    ['condor_credmon_webserver', ['--bogus'], 2],
    ['condor_credential_storer', ['--bogus'], 2],
    ['scitokens', ['--bogus'], 2],
  ])('of the standard error of %s %j changes no exit code', async (program, args, code) => {
    expect(await run(program, args, 'stderr')).toEqual({ code, other: '' });
  });
});
