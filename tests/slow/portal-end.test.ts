// The end of the portal as a process: a connection that never sends its request must not
// hold it up.
import { connect, type Socket } from 'node:net';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { startExecutable } from '@credmon/test-fixtures/processes/processes';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let socket: Socket | undefined;

beforeEach(async () => {
  issuer = await startIssuer();
  workspace = createWorkspace({
    knobs: { CREDMON_REQUEST_TIMEOUT: 1, CREDMON_CONNECT_TIMEOUT: 1 },
  });
});
afterEach(async () => {
  socket?.destroy();
  workspace.remove();
  await issuer.close();
});

it('R22 ends after SIGTERM although a connection stays silent', async () => {
  const portal = startExecutable(
    root,
    'condor_credmon_webserver',
    ['--listen', '127.0.0.1:0'],
    workspace.environment,
  );
  const [, port = ''] = await portal.printed(/ on http:\/\/127\.0\.0\.1:(\d+)/);
  socket = connect(Number(port), '127.0.0.1');
  await new Promise((resolve) => socket?.once('connect', resolve));
  const began = performance.now();
  portal.signal('SIGTERM');
  expect(await portal.exited).toEqual({ code: 0, signal: null });
  // By itself Node ends such a connection after half a minute.
  expect(performance.now() - began).toBeLessThan(25_000);
});
