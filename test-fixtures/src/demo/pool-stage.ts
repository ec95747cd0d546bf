// What the demo with --pool runs: a real HTCondor pool with our programs, and an issuer. The
// portal has a port of this machine, so that every browser here reaches it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '../pool/namespace.ts';
import { createPool, type Pool, type PoolProvider } from '../pool/pool.ts';
import { missingForPools, prepareRoot } from '../pool/root-directory.ts';
import { freePort } from '../processes/free-port.ts';
import type { Child } from '../processes/processes.ts';

/** Where the demo prints, and what ends it. */
export interface PoolDemo {
  readonly stop: AbortSignal;
  readonly print: (line: string) => void;
}

/** The running parts of the demo, until `clear`. */
export interface PoolStage {
  readonly pool: Pool;
  readonly provider: PoolProvider;
  readonly master: Child;
  readonly portal: Child;
  /** Runs a command line as alice, in her home directory. */
  alice(line: string): Promise<Output>;
  /** Ends all processes and removes all files; can be called twice. */
  clear(): Promise<void>;
}

/** The names of the files in alice's home directory. */
export const JOB = { submit: 'job.sub', script: 'job.sh', output: 'job.out', log: 'job.log' };

/** The submit file, as alice would write it. */
export const SUBMIT_FILE: string = `executable = ${JOB.script}
output = ${JOB.output}
log = ${JOB.log}
use_oauth_services = mytok
mytok_oauth_permissions = read
queue
`;

/** Prints a line for each new token, never the token; and one for each that has expired. */
const SCRIPT = `#!/bin/sh
number=0 last=
while :; do
  token=$(cat "$_CONDOR_CREDS/mytok.use")
  left=$(($(expr "$token" : '.*"expires_at": *\\([0-9]*\\)') - $(date +%s)))
  if [ "$token" != "$last" ]; then
    number=$((number + 1)) last=$token
    echo "reads token $number, which is valid for $left s"
  fi
  if [ "$left" -le 0 ]; then echo "token $number has EXPIRED"; fi
  sleep 1
done
`;

/**
 * Starts all parts; `ttl` is the lifetime of access tokens, in seconds.
 * @throws Error with the reason, after the cleanup
 */
export async function setPoolStage(
  root: string,
  ttl: number,
  { stop, print }: PoolDemo,
): Promise<PoolStage> {
  const missing = missingForPools();
  if (missing?.what === 'root') throw new Error('--pool must run as root');
  if (missing !== undefined)
    throw new Error(`--pool needs ${missing.what}; make it once ${missing.remedy}`);
  print('Unpacking and starting an HTCondor pool (some seconds), the web server and');
  print(`an issuer (access tokens live ${ttl} s)...\n`);
  const closers: (() => unknown)[] = [];
  const clear = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-demo-pool-'));
    closers.push(() => rmSync(directory, { recursive: true, force: true }));
    try {
      prepareRoot(root, directory);
    } finally {
      // A signal during this work, which also ends its programs, is seen in the next turn of
      // the event loop.
      for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    stop.throwIfAborted();
    const pool = await createPool(directory, root);
    closers.push(() => pool.remove());
    const port = await freePort();
    const prefix = `http://127.0.0.1:${port}`;
    pool.configure({
      CREDMON_WEB_PREFIX: prefix,
      CREDMON_WEB_LISTEN: `127.0.0.1:${port}`,
      CREDMON_ALLOW_LOOPBACK_HTTP: true,
    });
    const issuer = { name: 'Demo issuer', accessTokenTtl: ttl };
    const provider = await pool.addProvider('mytok', { prefix, ...issuer });
    pool.write(`/home/alice/${JOB.submit}`, SUBMIT_FILE);
    pool.write(`/home/alice/${JOB.script}`, SCRIPT, 0o755);
    const master = await pool.startMaster();
    stop.throwIfAborted();
    const portal = pool.start(['/usr/local/bin/condor_credmon_webserver'], { user: 'condor' });
    await portal.printed(/ serves \S+ on \S+,/);
    await pool.bringOut(port, port);
    return {
      pool,
      provider,
      master,
      portal,
      alice: (line) => pool.run(['sh', '-c', `cd && ${line}`], { user: 'alice' }),
      clear,
    };
  } catch (error) {
    await clear();
    throw error;
  }
}
