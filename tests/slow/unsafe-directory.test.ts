// What other local accounts can put into or around the credential directory, and what the
// daemon does with it.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(() => workspace.remove());

const underMaster = { CONDOR_INHERIT: `${process.pid} <127.0.0.1:0> 0 0` };

describe.runIf(process.getuid?.() === 0)('a credential directory that another user owns', () => {
  it.each([
    ['itself', 'credentials', {}, 1],
    ['itself, under condor_master', 'credentials', underMaster, 99],
    ['a directory above it, under condor_master', '', underMaster, 99],
  ])(
    '%s: the daemon does not start, writes nothing there and says how to fix it',
    async (_, name, env, code) => {
      workspace.configure({ TRUST_CREDENTIAL_DIRECTORY: true });
      const path = join(workspace.root, name);
      chownSync(path, 64_001, 0);
      const daemon = startDaemon(workspace, [], env);
      expect(await daemon.exited).toEqual({ code, signal: null });
      for (const text of [daemon.output, daemonLog(workspace)]) {
        expect(text).toContain(`the credential directory ${workspace.credentialDirectory} is `);
        expect(text).toMatch(/ owned by user id 64001, .*; fix: chown root(:condor)? \//);
      }
      expect(existsSync(join(workspace.credentialDirectory, 'pid'))).toBe(false);
      expect(existsSync(join(workspace.credentialDirectory, '.condor_credmon.lock'))).toBe(false);
    },
  );
});

it('a credential directory that becomes unsafe while the daemon runs is logged, once until it is safe', async () => {
  const daemon = startDaemon(workspace, ['-d']);
  await waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'the first pass' });
  const lines = (): number =>
    daemonLog(workspace).split('Tokens are still renewed, but the next start will fail').length - 1;
  const scans = (): number => daemonLog(workspace).split('Scanned').length - 1;
  const passAgain = async (): Promise<void> => {
    const before = scans();
    daemon.signal('SIGHUP');
    await waitUntil(() => scans() > before, { what: 'another pass' });
  };
  for (const [mode, count] of [
    [0o777, 1],
    [0o777, 1],
    [0o700, 1],
    [0o777, 2],
  ] as const) {
    chmodSync(workspace.credentialDirectory, mode);
    await passAgain();
    // The mark of a pass is set after it.
    await passAgain();
    await waitUntil(() => lines() === count, { what: `${count} lines` });
  }
  expect(daemonLog(workspace)).toContain('has mode 0777: other users can access it; fix: chmod');
  chmodSync(workspace.credentialDirectory, 0o700);
  expect(await daemon.stop()).toEqual({ code: 0, signal: null });
});

const file = (name: string): string => join(workspace.credentialDirectory, name);
const logged = (text: string): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).includes(text), { what: `the log line "${text}"` });
const fifo = (name: string): void => {
  rmSync(file(name), { force: true });
  expect(spawnSync('mkfifo', [file(name)]).status).toBe(0);
};

describe('a FIFO', () => {
  it('in place of CREDMON_COMPLETE is replaced with one log line, and the daemon continues answering signals', async () => {
    const daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'the first pass' });
    fifo('CREDMON_COMPLETE');
    daemon.signal('SIGHUP');
    await logged(`${file('CREDMON_COMPLETE')} was not a regular file with a single link`);
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect(
      readdirSync(workspace.credentialDirectory).filter((name) => !name.startsWith('.')),
    ).toEqual([]);
  });

  it('in place of the pid file holds up neither status nor check nor the end', async () => {
    const daemon = startDaemon(workspace);
    await waitUntil(() => existsSync(file('CREDMON_COMPLETE')), { what: 'the first pass' });
    fifo('pid');
    for (const command of ['status', 'check']) {
      const run = startDaemon(workspace, [command]);
      expect((await run.exited).signal).toBe(null);
    }
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect(daemonLog(workspace)).toContain(
      `cannot remove pid: ${file('pid')} is not a regular file; fix: rm `,
    );
  });
});
