// HTCondor marks users without jobs and sweeps their credentials, also during a renewal.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createPool, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobEvent, submit } from './pool-jobs.ts';
import { logged } from './pool-logs.ts';
import { changedFile, storeLogin, tokenFile } from './pool-tokens.ts';

describe.skipIf(isPoolMissing())('mark and sweep', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok', { accessTokenTtl: 30 });
    pool.configure({
      CREDMON_RENEW_FRACTION: 0.2,
      // The renewal must not be given up before the sweep.
      CREDMON_REQUEST_TIMEOUT: 600,
      ABSENT_OWNER_LIFETIME: 2,
      SCHEDD_INTERVAL: 1,
      SEC_CREDENTIAL_SWEEP_INTERVAL: 1,
      SEC_CREDENTIAL_SWEEP_DELAY: 2,
    });
    await pool.startMaster();
  });
  afterAll(() => pool.remove());

  const lines = ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'];
  const has = (name: string): boolean => existsSync(join(pool.credentialDirectory, name));

  it('a user whose last job has ended is swept; a late response of the issuer brings nothing back', async () => {
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    const requests = mytok.issuer.log.requests.length;
    await mytok.issuer.setFault('held');
    await mytok.issuer.log.until((log) => log.requests.length > requests);

    const { name, output } = await submit(pool, { user: 'alice', script: 'true', lines });
    expect(output).toMatch(/submitted to cluster/);
    await jobEvent(pool, 'alice', name, /Job terminated/);
    await waitUntil(() => !has('alice'), { what: 'the sweep' });
    expect(has('alice.mark')).toBe(false);

    const log = await logged(pool, 'CredMonOAuthLog', /alice\/mytok/, () =>
      mytok.issuer.setFault(),
    );
    expect(log).toMatch(/alice\/mytok: .*during the renewal; nothing was written\n/);
    expect(log).not.toContain('ERROR');
    expect(has('alice')).toBe(false);
  });

  it('a user who comes back has a token that is renewed while a job needs it', async () => {
    // She has no jobs until she submits one.
    pool.configure({ SEC_CREDENTIAL_SWEEP_DELAY: 3600 });
    await logged(pool, 'CredLog', /main_config\(\) called/, () => pool.must(['condor_reconfig']));
    await storeLogin(pool, 'alice', mytok);
    const use = await tokenFile(pool, 'alice/mytok.use');
    const { output } = await submit(pool, { user: 'alice', script: 'sleep 600', lines });
    expect(output).toMatch(/submitted to cluster/);
    await changedFile(pool, 'alice/mytok.use', use);
    await waitUntil(() => !has('alice.mark'), { what: 'no mark' });
  });
});
