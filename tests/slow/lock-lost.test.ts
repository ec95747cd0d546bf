// Two daemons must never renew the same tokens: the first one ends when the lock file or
// the directory is replaced under it.
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { textIfPresent } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, mkdirSync, chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, runOnce, startDaemon } from './daemon-runs.ts';

let workspace: Workspace;
let issuer: Issuer | undefined;
const daemons: Child[] = [];
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
  await issuer?.close();
  issuer = undefined;
  workspace.remove();
});

const inDirectory = (name: string): string => join(workspace.credentialDirectory, name);

/** Starts a daemon that has made a pass. */
async function started(): Promise<Child> {
  const daemon = startDaemon(workspace);
  daemons.push(daemon);
  const isReady = (): boolean =>
    existsSync(inDirectory('CREDMON_COMPLETE')) &&
    textIfPresent(inDirectory('pid')) === `${daemon.pid}\n`;
  await waitUntil(() => isReady() || daemon.exit !== undefined, { what: 'a pass' });
  expect(daemon.exit).toBeUndefined();
  return daemon;
}

const lockLines = (): string[] =>
  daemonLog(workspace)
    .split('\n')
    .filter((line) => line.includes('was removed or replaced'));

function replaceDirectory(): void {
  renameSync(workspace.credentialDirectory, `${workspace.credentialDirectory}.old`);
  mkdirSync(workspace.credentialDirectory);
  chmodSync(workspace.credentialDirectory, 0o2770);
}

describe('R10 a daemon whose lock was taken away', () => {
  it.each([
    ['the lock file', () => rmSync(inDirectory('.condor_credmon.lock'))],
    ['the credential directory', replaceDirectory],
  ])('%s: ends with 1 and one line, and leaves the second daemon its files', async (_, replace) => {
    const first = await started();
    replace();
    const second = await started();
    first.signal('SIGHUP');
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect(lockLines()).toHaveLength(1);
    expect([
      readFileSync(inDirectory('pid'), 'utf8'),
      existsSync(inDirectory('CREDMON_COMPLETE')),
    ]).toEqual([`${second.pid}\n`, true]);
    expect(second.exit).toBeUndefined();
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });

  it('without a second daemon it removes its own pid file and CREDMON_COMPLETE, without a signal', async () => {
    const first = await started();
    rmSync(inDirectory('.condor_credmon.lock'));
    expect(await first.exited).toEqual({ code: 1, signal: null });
    expect([existsSync(inDirectory('pid')), existsSync(inDirectory('CREDMON_COMPLETE'))]).toEqual([
      false,
      false,
    ]);
  });

  it('--once writes the answer that is under way, begins nothing more, and exits with 1', async () => {
    issuer = await startIssuer();
    workspace.configure({ CREDMON_RENEWALS_PER_ISSUER: 1 });
    const service = await workspace.addService('mytok', issuer);
    const tokens: SeededToken[] = [];
    for (const user of ['alice', 'bob'])
      tokens.push(await seedToken(workspace, service, user, 'mytok', { age: 3000 }));
    const textOf = (kind: 'top'): string[] =>
      tokens.map(({ path }) => readFileSync(path(kind), 'utf8'));
    const before = textOf('top');
    await issuer.setFault('held', { times: 1 });
    const once = runOnce(workspace);
    await issuer.log.until((log) => log.successes('refresh_token').length === 1);
    rmSync(inDirectory('.condor_credmon.lock'));
    await issuer.setFault();
    expect((await once).exit).toEqual({ code: 1, signal: null });
    expect(textOf('top').filter((text) => !before.includes(text))).toHaveLength(1);
    expect([
      issuer.log.successes('refresh_token').length,
      existsSync(inDirectory('CREDMON_COMPLETE')),
    ]).toEqual([1, false]);
    expect(lockLines()).toHaveLength(1);
  });
});
