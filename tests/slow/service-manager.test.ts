// The built daemon and portal under Type=notify: what a real notify socket hears.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  openNotifySocket,
  type NotifySocket,
} from '@credmon/test-fixtures/processes/notify-socket';
import { startExecutable } from '@credmon/test-fixtures/processes/processes';
import { skipWithout } from '@credmon/test-fixtures/processes/skipped';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root, startDaemon } from './daemon-runs.ts';

const PROGRAM = '/usr/bin/systemd-notify';
const isMissing = !existsSync(PROGRAM) && skipWithout(PROGRAM, 'apt-get install systemd');

let workspace: Workspace;
let socket: NotifySocket;

const heard = (state: string): Promise<unknown> =>
  waitUntil(() => socket.states().at(-1) === state, { what: state });

describe.skipIf(isMissing)('systemd', () => {
  beforeEach(async () => {
    workspace = createWorkspace();
    socket = await openNotifySocket(workspace.root);
  });
  afterEach(async () => {
    await socket.close();
    workspace.remove();
  });

  it('hears of the daemon: ready after a pass, reloads, and stops; a sign of life after a pass', async () => {
    const environment = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '300000000' };
    const daemon = startDaemon(workspace, [], environment);
    await heard('WATCHDOG=1');
    expect(socket.states()).toEqual(['READY=1', 'WATCHDOG=1']);
    // The first pass had ended.
    expect(existsSync(join(workspace.credentialDirectory, 'CREDMON_COMPLETE'))).toBe(true);
    daemon.signal('SIGHUP');
    await heard('READY=1');
    expect(socket.states().slice(2)).toEqual(['RELOADING=1 MONOTONIC_USEC=N', 'READY=1']);
    daemon.signal('SIGTERM');
    expect((await daemon.exited).code).toBe(0);
    await heard('STOPPING=1');
  });

  it('does not hear of a single pass', async () => {
    const daemon = startDaemon(workspace, ['--once'], { NOTIFY_SOCKET: socket.path });
    expect((await daemon.exited).code).toBe(0);
    expect(socket.messages()).toEqual([]);
  });

  it('hears of the portal', async () => {
    const portal = startExecutable(
      root,
      'condor_credmon_webserver',
      ['--listen', `unix:${workspace.root}/portal.sock`],
      { ...workspace.environment, NOTIFY_SOCKET: socket.path },
    );
    await heard('READY=1');
    portal.signal('SIGHUP');
    await waitUntil(() => socket.states().length === 3, { what: 'the reload' });
    portal.signal('SIGTERM');
    await portal.exited;
    await heard('STOPPING=1');
    expect(socket.states()).toEqual([
      'READY=1',
      'RELOADING=1 MONOTONIC_USEC=N',
      'READY=1',
      'STOPPING=1',
    ]);
  });
});

it.each(['condor_credmon', 'condor_credmon_webserver'])(
  'the unit of %s lets a child process tell, and has a watchdog that is long enough',
  (name) => {
    const unit = readFileSync(join(root, `configs/systemd/${name}.service`), 'utf8');
    expect(unit).toContain('\nType=notify\nNotifyAccess=all\n');
    expect(Number(/^WatchdogSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThanOrEqual(180);
  },
);
