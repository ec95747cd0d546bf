// A name server that is silent: whatever is looked up, programs end when they are told
// to. Needs root, for a network of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root } from './daemon-runs.ts';

const NAMES = 40;
const TOP = '{"refresh_token":"r"}';
let workspace: Workspace;
const file = (...parts: readonly string[]): string => join(workspace.credentialDirectory, ...parts);

/**
 * A name server that takes every question and answers none, for as long as the program
 * that started it runs.
 */
const SERVER = `
  const parent = process.ppid;
  const socket = require('node:dgram').createSocket('udp4');
  socket.bind(53, '127.0.0.1', () => require('node:fs').writeFileSync(process.argv[1], ''));
  setInterval(() => process.ppid === parent || process.exit(), 100);`;

/**
 * Runs a program where the name server is silent. The resolver alone would hold it for
 * two minutes.
 */
function startAmongSilence(program: string, args: readonly string[]): Child {
  const resolver = join(workspace.root, 'resolv.conf');
  writeFileSync(resolver, 'nameserver 127.0.0.1\noptions timeout:30 attempts:4\n');
  const script = `
    ip link set lo up && mount --bind "$0" /etc/resolv.conf || exit 9
    "$1" -e "$2" "$0.ready" >/dev/null 2>&1 &
    while [ ! -e "$0.ready" ]; do sleep 0.1; done
    shift 2
    exec "$@"`;
  const command = [process.execPath, SERVER, process.execPath, program, ...args];
  return startProcess(
    'unshare',
    ['--mount', '--net', 'sh', '-c', script, resolver, ...command],
    workspace.environment,
  );
}

describe.skipIf(process.getuid?.() !== 0)('R22 while a name server is silent', () => {
  beforeEach(() => {
    workspace = createWorkspace();
    mkdirSync(file('alice'), { mode: 0o700 });
    const knobs: Record<string, string | number> = {
      CREDMON_CONNECT_TIMEOUT: 2,
      CREDMON_REQUEST_TIMEOUT: 3,
    };
    for (let n = 0; n < NAMES; n += 1) {
      knobs[`silent${n}_CLIENT_ID`] = 'me';
      knobs[`silent${n}_TOKEN_URL`] = `https://silent${n}.example/token`;
      writeFileSync(file('alice', `silent${n}.top`), TOP, { mode: 0o600 });
    }
    workspace.configure(knobs);
  });
  afterEach(() => workspace.remove());

  it('the daemon ends with code 0 as soon as it has stopped', async () => {
    const daemon = startAmongSilence(executablePath(root, 'condor_credmon'), []);
    await waitUntil(() => daemonLog(workspace).includes('silent0'), { what: 'the first failure' });
    daemon.signal('SIGTERM');
    await waitUntil(() => daemonLog(workspace).includes('Stopped'), { what: 'the end' });
    const stopped = performance.now();
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    // The resolver gives up after two minutes at the earliest.
    expect(performance.now() - stopped).toBeLessThan(30_000);
  });

  it('check ends when it has looked at everything', async () => {
    const check = startAmongSilence(executablePath(root, 'condor_credmon'), ['check']);
    const began = performance.now();
    expect((await check.exited).code).toBe(1);
    expect(performance.now() - began).toBeLessThan(110_000);
    expect(check.output).toMatch(/silent0/);
  });
});
