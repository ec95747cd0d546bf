// What systemd is told, through its own program and a real socket.
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWithout } from '@credmon/test-fixtures/processes/skipped';
import {
  openNotifySocket,
  type NotifySocket,
} from '@credmon/test-fixtures/processes/notify-socket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectServiceManager } from '../../../src/base/process/service-manager.ts';

const PROGRAM = '/usr/bin/systemd-notify';
const isMissing = !existsSync(PROGRAM) && skipWithout(PROGRAM, 'apt-get install systemd');
const warned: string[] = [];
const warn = (text: string): void => void warned.push(text);

describe.skipIf(isMissing)('the service manager', () => {
  let place: string;
  let socket: NotifySocket;
  beforeEach(async () => {
    warned.length = 0;
    place = mkdtempSync(join(tmpdir(), 'credmon-notify-'));
    socket = await openNotifySocket(place);
  });
  afterEach(async () => {
    await socket.close();
    rmSync(place, { recursive: true });
  });

  it('is told ready once, reloads in order, and a stop at once', async () => {
    const env = { NOTIFY_SOCKET: socket.path };
    const service = connectServiceManager(warn, { env });
    expect(env).toEqual({});
    service.turnEnded();
    service.turnEnded();
    service.reloading();
    service.reloaded();
    await expect.poll(() => socket.states()).toHaveLength(3);
    service.stopping();
    await expect
      .poll(() => socket.states())
      .toEqual(['READY=1', 'RELOADING=1 MONOTONIC_USEC=N', 'READY=1', 'STOPPING=1']);
    expect(warned).toEqual([]);
  });

  it('R3 a program that is being replaced is a warning, and the next message is sent', async () => {
    const program = join(place, 'systemd-notify');
    copyFileSync(PROGRAM, program);
    const writer = openSync(program, 'r+');
    const env = { NOTIFY_SOCKET: socket.path };
    const service = connectServiceManager(warn, { env, programs: [program] });
    service.ready();
    service.stopping();
    await expect.poll(() => warned).toEqual([expect.stringContaining('ETXTBSY')]);
    closeSync(writer);
    service.reloaded();
    await expect.poll(() => socket.states()).toEqual(['READY=1']);
  });

  it('is told of the end of a turn if a quarter of the watchdog is over, and only then', async () => {
    let now = 1000;
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '240000000', WATCHDOG_PID: '7' };
    const service = connectServiceManager(warn, { env, pid: 7, steady: () => now });
    service.ready();
    await expect.poll(() => socket.states()).toEqual(['READY=1']);
    for (now of [1000, 1030, 1059, 1060, 1070, 1130]) service.turnEnded();
    const [alive, ready] = ['WATCHDOG=1', 'READY=1'];
    await expect.poll(() => socket.states()).toEqual([ready, alive, alive, alive]);
  });

  it.each([
    ['without a watchdog', {}],
    ['with the watchdog of another process', { WATCHDOG_USEC: '240000000', WATCHDOG_PID: '8' }],
  ])('%s no sign of life is sent', async (_, more) => {
    const env = { NOTIFY_SOCKET: socket.path, ...more };
    const service = connectServiceManager(warn, { env, pid: 7 });
    service.turnEnded();
    await expect.poll(() => socket.states()).toEqual(['READY=1']);
    service.turnEnded();
    service.stopping();
    await expect.poll(() => socket.states()).toEqual(['READY=1', 'STOPPING=1']);
  });

  it('warns of a watchdog that would kill a daemon that waits for an issuer', () => {
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '30000000' };
    connectServiceManager(warn, { env });
    expect(warned).toEqual([
      'WatchdogSec is 30 s, too short for a pass that waits for issuers; fix: set at least 180 s',
    ]);
  });

  it('warns once if nobody listens', async () => {
    const env = { NOTIFY_SOCKET: join(place, 'none') };
    const service = connectServiceManager(warn, { env });
    service.ready();
    service.stopping();
    service.stopping();
    await expect.poll(() => warned.length).toBe(1);
    expect(warned[0]).toMatch(/^systemd was not told the state: /);
  });
});

it('without systemd nothing happens, and without its program there is one warning', () => {
  warned.length = 0;
  const silent = connectServiceManager(warn, { env: {} });
  silent.ready();
  silent.turnEnded();
  silent.stopping();
  expect(warned).toEqual([]);
  connectServiceManager(warn, { env: { NOTIFY_SOCKET: '/x' }, programs: ['/none/notify'] });
  expect(warned).toEqual(['/none/notify is missing: systemd is not told that this runs']);
});
