// condor_master and our daemon: its start, condor_reconfig, condor_off and condor_on, and
// the sudden end of either.
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createPool, type Pool } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logged } from './pool-logs.ts';
import { CREDENTIALS } from './pool-tokens.ts';

const LOG = 'CredMonOAuthLog';
const BROKEN = '/etc/condor/config.d/99-broken.conf';
const ON = ['condor_on', '-daemon', 'CREDMON_OAUTH'];
const OFF = ['condor_off', '-daemon', 'CREDMON_OAUTH'];

describe.skipIf(isPoolMissing())('condor_master and the daemon', () => {
  let pool: Pool;
  let master: Child;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    pool.configure({ MASTER_CREDMON_OAUTH_BACKOFF_CONSTANT: 1 });
    master = await pool.startMaster();
  });
  afterAll(() => pool.remove());

  const has = (name: string): boolean => existsSync(join(pool.credentialDirectory, name));
  const modes = (...names: readonly string[]): Promise<string> =>
    pool.must(['stat', '-c', '%n %U:%G %a', ...names.map((name) => join(CREDENTIALS, name))]);
  /** The daemon's process number inside, once it has made its first pass. */
  const ready = async (): Promise<string> => {
    await waitUntil(() => has('CREDMON_COMPLETE'), { what: 'the first pass' });
    return pool.read(`${CREDENTIALS}/pid`).trim();
  };
  const on = (): Promise<string> => pool.must(ON);
  /** What condor_master logs about the end of the process `pid`. */
  const ended = (pid: string): RegExp => new RegExp(`CREDMON_OAUTH \\(pid ${pid}\\) .*\\n`);

  it('starts the daemon, which other daemons and nobody else can see', async () => {
    const pid = await ready();
    expect(await modes('', 'pid', 'CREDMON_COMPLETE', '.condor_credmon.lock')).toBe(
      `${CREDENTIALS} root:condor 2770\n` +
        `${CREDENTIALS}/pid root:condor 644\n` +
        `${CREDENTIALS}/CREDMON_COMPLETE root:condor 644\n` +
        `${CREDENTIALS}/.condor_credmon.lock root:condor 600\n`,
    );
    expect(pool.log('MasterLog')).toMatch(
      new RegExp(`Started process "/usr/local/bin/condor_credmon", pid and pgroup = ${pid}\\n`),
    );
  });

  it('condor_who waits until it is ready', async () => {
    const state = await pool.must(['condor_who', `-wait:${PATIENCE}`, 'IsReady']);
    expect(state).toMatch(/^IsReady = true$/m);
    expect(state).toMatch(/^CREDMON_OAUTH_State = "Ready"$/m);
  });

  it('condor_reconfig lets it read the configuration again', async () => {
    const pid = await ready();
    pool.configure({ mytok_CLIENT_ID: 'condor-ap', mytok_TOKEN_URL: 'https://127.0.0.1:1/token' });
    await logged(pool, LOG, /Configuration read again/, () => pool.must(['condor_reconfig']));
    expect(await ready()).toBe(pid);
  });

  it('condor_reconfig with a mistake changes nothing, and the log has file and line', async () => {
    const pid = await ready();
    pool.write(BROKEN, 'CREDMON_TOKEN_FLOOR = banana\n');
    expect(await logged(pool, LOG, /rejected.*\n/, () => pool.must(['condor_reconfig']))).toContain(
      'ERROR: The new configuration is rejected, the old one is still used: ' +
        `The configuration has an error: | ${BROKEN}, line 1: ` +
        'CREDMON_TOKEN_FLOOR = banana is not an integer',
    );
    rmSync(pool.path(BROKEN));
    await logged(pool, LOG, /The configuration is valid again and unchanged/, () =>
      pool.must(['condor_reconfig']),
    );
    expect(await ready()).toBe(pid);
  });

  it.each([
    ['condor_off', OFF, 'SIGTERM'],
    ['condor_off -fast', [...OFF, '-fast'], 'SIGQUIT'],
  ])('%s ends it and removes its marks, condor_on starts it again', async (_, off, signal) => {
    const pid = await ready();
    const text = await logged(pool, 'MasterLog', ended(pid), () => pool.must(off));
    expect(text).toContain(`Sent ${signal} to CREDMON_OAUTH (pid ${pid})`);
    expect(text).toContain(`The CREDMON_OAUTH (pid ${pid}) exited with status 0`);
    expect(pool.log(LOG)).toMatch(new RegExp(`Got ${signal}, stopping\\n.*Stopped\\n$`));
    expect([has('pid'), has('CREDMON_COMPLETE')]).toEqual([false, false]);
    await logged(pool, 'MasterLog', /Setting ready state 'Ready' for CREDMON_OAUTH/, on);
    expect(await ready()).not.toBe(pid);
  });

  it('a second daemon ends with status 1 and names the first', async () => {
    const pid = await ready();
    const second = await pool.run(['/usr/local/bin/condor_credmon']);
    expect(second.code).toBe(1);
    expect(second.output).toContain(`process ${pid} already renews the tokens in ${CREDENTIALS}`);
    expect(await ready()).toBe(pid);
  });

  it('kill -9 of the daemon: condor_master starts it again', async () => {
    const pid = await ready();
    expect(
      await logged(pool, 'MasterLog', /Started process .*condor_credmon.*\n/, () =>
        pool.must(['kill', '-9', pid]),
      ),
    ).toContain(`The CREDMON_OAUTH (pid ${pid}) died due to signal 9`);
    await waitUntil(async () => (await ready()) !== pid, { what: 'the next daemon' });
    await logged(pool, LOG, /Configuration read again/, async () => {
      pool.configure({ CREDMON_RENEW_FRACTION: 0.4 });
      await pool.must(['condor_reconfig']);
    });
  });

  it('a mistake at the start: exit 99, held by condor_master until it is corrected', async () => {
    const pid = await ready();
    await logged(pool, 'MasterLog', ended(pid), () => pool.must(OFF));
    pool.write(BROKEN, 'CREDMON_TOKEN_FLOOR = banana\n');
    const log = await logged(pool, LOG, /is not an integer\n/, async () => {
      await logged(pool, 'MasterLog', /exited with status 99 \(daemon will not restart/, on);
    });
    expect(log).toContain('ERROR: The configuration has an error:\n');
    expect(log).toContain(`${BROKEN}, line 1: CREDMON_TOKEN_FLOOR = banana is not an integer`);
    expect(has('pid')).toBe(false);
    rmSync(pool.path(BROKEN));
    await on();
    await ready();
  });

  it('kill -9 of condor_master: the daemon ends, and the next master has its own', async () => {
    const pid = await ready();
    const { stdout } = await pool.run(['pgrep', '-P', (await masterPid()).trim()]);
    const daemons = stdout.trim().split('\n');
    expect(daemons).toContain(pid);
    await logged(pool, LOG, /condor_master \(process \d+\) is gone, stopping\n.*Stopped\n/, () =>
      masterPid().then((number) => pool.must(['kill', '-9', number.trim()])),
    );
    expect(has('pid')).toBe(false);
    await master.exited;
    // HTCondor's own daemons notice it later, and keep the pool's port until then.
    await pool.run(['kill', '-9', ...daemons.filter((number) => number !== pid)]);
    master = await pool.startMaster();
    expect(await ready()).not.toBe(pid);
  });

  it('condor_off -master ends it with the others', async () => {
    await ready();
    await pool.must(['condor_off', '-master']);
    expect((await master.exited).code).toBe(0);
    expect(pool.log(LOG)).toMatch(/Got SIGTERM, stopping\n.*Stopped\n$/);
    expect([has('pid'), has('CREDMON_COMPLETE')]).toEqual([false, false]);
  });

  const masterPid = (): Promise<string> => pool.must(['pgrep', '-x', 'condor_master']);
});
