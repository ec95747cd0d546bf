// condor_master's death with real processes: a shell plays the master, is killed with
// SIGKILL, and the daemon that it started must end.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

let workspace: Workspace;
const ends: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  workspace = createWorkspace();
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  workspace.remove();
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // It has ended.
    return false;
  }
};
const pidFile = (): string => join(workspace.credentialDirectory, 'pid');
/** The daemon's process number, once it serves. */
async function daemonPid(): Promise<number> {
  await waitUntil(() => existsSync(join(workspace.credentialDirectory, 'CREDMON_COMPLETE')), {
    what: 'the first pass',
  });
  const pid = Number(readFileSync(pidFile(), 'utf8'));
  ends.push(async () => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return pid;
}

/** A shell that starts the daemon as `line` says ("$@" is its command) and stays. */
function master(line: string): Child {
  const words = [process.execPath, executablePath(root, 'condor_credmon')];
  const child = startProcess('sh', ['-c', `${line} & wait`, 'sh', ...words], workspace.environment);
  ends.push(() => child.stop());
  return child;
}

/** Some other process, which lives until the test ends it. */
function stranger(): { readonly pid: number; end(): Promise<void> } {
  const child = startProcess('sleep', ['600'], { PATH: '/usr/bin:/bin' });
  const end = async (): Promise<void> => {
    await child.stop();
  };
  ends.push(end);
  return { pid: child.pid, end };
}

describe('R46 a daemon that condor_master started', () => {
  it.each([
    ['directly', 'CONDOR_INHERIT="$$ <127.0.0.1:9618> 0" "$@"'],
    [
      'behind a wrapper script',
      'CONDOR_INHERIT="$$ <127.0.0.1:9618> 0" sh -c \'"$@"; exit $?\' sh "$@"',
    ],
  ])('%s ends when it is killed, and the next one starts', async (_, line) => {
    const first = master(line);
    const pid = await daemonPid();
    first.signal('SIGKILL');
    await waitUntil(() => !isAlive(pid), { what: 'the end of the daemon' });
    expect(
      daemonLog(workspace).match(/condor_master \(process \d+\) is gone, stopping/g),
    ).toHaveLength(1);
    expect(existsSync(pidFile())).toBe(false);
    const next = startDaemon(workspace);
    ends.push(() => next.stop());
    expect(await daemonPid()).toBe(next.pid);
  });

  it('does not end while the process that CONDOR_INHERIT names lives, whoever our parent is', async () => {
    const other = stranger();
    // The shell between ends at once, so that the daemon gets another parent.
    const environment = {
      ...workspace.environment,
      CONDOR_INHERIT: `${other.pid} <127.0.0.1:9618> 0`,
    };
    const words = [process.execPath, executablePath(root, 'condor_credmon')];
    const between = startProcess(
      'sh',
      ['-c', '"$@" >/dev/null 2>&1 & sleep 1', 'sh', ...words],
      environment,
    );
    const pid = await daemonPid();
    await between.exited;
    await new Promise((resolve) => {
      setTimeout(resolve, 12_000);
    });
    expect(isAlive(pid)).toBe(true);
    await other.end();
    await waitUntil(() => !isAlive(pid), { what: 'the end of the daemon' });
  });

  it.each<[string, string | undefined]>([
    ['without CONDOR_INHERIT', undefined],
    ['with a process that cannot be seen from here', '4194200 <127.0.0.1:9618> 0'],
  ])('%s is not watched: nohup and a container end nothing', async (_, inherit) => {
    const set = inherit === undefined ? '' : `CONDOR_INHERIT="${inherit}" `;
    const shell = master(`${set}nohup "$@" >/dev/null 2>&1`);
    const pid = await daemonPid();
    shell.signal('SIGKILL');
    await shell.exited;
    await new Promise((resolve) => {
      setTimeout(resolve, 12_000);
    });
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGTERM');
    await waitUntil(() => !isAlive(pid), { what: 'the end of the daemon' });
  });
});
