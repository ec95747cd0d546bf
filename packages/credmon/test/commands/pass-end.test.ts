// When condor_master is told that the daemon is ready, and what the log says of it.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createReadyNotice, readyCall } from '../../src/commands/pass-end.ts';

const condor = { uid: 64, gid: 65 };
const inherit = { CONDOR_INHERIT: '500 <127.0.0.1:9618> 0 0', CONDOR_CONFIG: '/etc/c' };

it('R46 condor_master gets the process id of the daemon, from the user condor', () => {
  const call = readyCall(inherit, { pid: 501, parent: 500, condor });
  expect(call?.args.slice(-3)).toEqual(['501', '64', '65']);
  expect(call?.env).toEqual(inherit);
});

it.each<[string, NodeJS.ProcessEnv, number, typeof condor | undefined]>([
  ['without condor_master', {}, 500, condor],
  ['below another program of condor_master', inherit, 499, condor],
  ['without a user condor', inherit, 500, undefined],
])('R46 nothing is sent %s', (_, env, parent, ids) => {
  expect(readyCall(env, { pid: 501, parent, condor: ids })).toBeUndefined();
});

let directory: string;
let stop: AbortController;
let lines: string[];
beforeEach(() => {
  directory = programFolder();
  stop = new AbortController();
  lines = [];
});
afterEach(() => {
  stop.abort();
  rmSync(directory, { recursive: true });
});

/** Makes the python3 of PATH this shell script, which finds the test's directory in $HERE. */
function notice(script: string): () => void {
  const python = join(directory, 'python3');
  writeFileSync(python, `#!/bin/sh\n${script}\n`);
  chmodSync(python, 0o755);
  const env = {
    PATH: `${directory}:/usr/bin:/bin`,
    HERE: directory,
    CONDOR_INHERIT: `${process.ppid} <127.0.0.1:9618> 0 0`,
  };
  const log = { debug: (text: string) => void lines.push(text) };
  return createReadyNotice(env, () => condor, log, stop.signal);
}

it('R46 condor_master is told once', async () => {
  const tell = notice('echo $6 $7 >> $HERE/calls; echo told');
  tell();
  tell();
  await expect
    .poll(() => lines)
    .toEqual(['Told condor_master that the daemon is ready (DC_SET_READY)']);
  const sent = readFileSync(join(directory, 'calls'), 'utf8');
  expect(sent).toBe(`${process.pid} 64\n`);
});

it.each([
  ['echo HTCondor is not installed; exit 1', 'HTCondor is not installed'],
  ['printf "first\\n\\033[1mlast\\n"; exit 1', '\\u001b[1mlast'],
  ['exit 1', 'Python failed or timed out'],
])('R46 a failure is one debug line: %s', async (script, reason) => {
  notice(script)();
  await expect
    .poll(() => lines)
    .toEqual([`condor_master was not told that the daemon is ready (DC_SET_READY): ${reason}`]);
});

it('R46 a program that hangs delays nothing, and ends with the daemon', async () => {
  const tell = notice('echo $$ > $HERE/started; exec sleep 1000');
  tell();
  await expect.poll(() => existsSync(join(directory, 'started'))).toBe(true);
  expect(lines).toEqual([]);
  stop.abort();
  await expect.poll(() => lines).toHaveLength(1);
});

it('R46 nothing is sent once the daemon stops', () => {
  const tell = notice('touch $HERE/started');
  stop.abort();
  tell();
  expect(lines).toEqual([]);
  expect(existsSync(join(directory, 'started'))).toBe(false);
});
