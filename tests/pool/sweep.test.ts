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
import { storeLogin, tokenFile } from './pool-tokens.ts';

describe.skipIf(isPoolMissing())('mark and sweep', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok', { accessTokenTtl: 30 });
    pool.configure({
      CREDMON_RENEW_FRACTION: 0.2,
      // The renewal must not be given up before the sweep.
      CREDMON_REQUEST_TIMEOUT: 120,
      ABSENT_OWNER_LIFETIME: 2,
      SCHEDD_INTERVAL: 1,
      SEC_CREDENTIAL_SWEEP_INTERVAL: 1,
      SEC_CREDENTIAL_SWEEP_DELAY: 2,
    });
    await pool.startMaster();
  });
  afterAll(() => pool.remove());

  const has = (name: string): boolean => existsSync(join(pool.credentialDirectory, name));

  it('a user whose last job has ended is swept; a late response of the issuer brings nothing back', async () => {
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    const requests = mytok.issuer.log.requests.length;
    await mytok.issuer.setFault('held');
    await mytok.issuer.log.until((log) => log.requests.length > requests);

    const lines = ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'];
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

  it('a user who comes back has a token that is renewed', async () => {
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    expect(has('alice.mark')).toBe(false);
  });
});
