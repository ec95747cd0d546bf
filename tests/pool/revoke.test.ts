// condor_credmon's commands on a pool with a job that runs: status, usable, check and
// revoke, for root and for an ordinary user.
import { tmpdir } from 'node:os';
import { createPool, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import type { Output } from '@credmon/test-fixtures/pool/namespace';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobEvent, linkIn, submit } from './pool-jobs.ts';
import { storeLogin, tokenFile, tokenFiles } from './pool-tokens.ts';

describe.skipIf(isPoolMissing())('the commands, while a job runs', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  let job: string;
  const lines = ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'];
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok');
    await pool.startMaster();
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    const submitted = await submit(pool, { user: 'alice', script: 'sleep 600', lines });
    job = submitted.name;
    await jobEvent(pool, 'alice', job, /Job executing/);
  });
  afterAll(() => pool.remove());

  const credmon = (args: readonly string[], user = 'root'): Promise<Output> =>
    pool.run(['/usr/local/bin/condor_credmon', ...args], { user });

  it('status shows the token to root, and to its user; nobody else sees it', async () => {
    const row = /^alice +mytok +mytok \(oauth\) +fresh /m;
    const ofRoot = await credmon(['status']);
    expect([ofRoot.code, row.test(ofRoot.stdout)]).toEqual([0, true]);
    const ofAlice = await waitUntil(
      async () => {
        const output = await credmon(['status'], 'alice');
        return row.test(output.stdout) && output;
      },
      { what: 'the status file of alice' },
    );
    expect(ofAlice.code).toBe(0);
    const ofBob = await credmon(['status'], 'bob');
    expect(ofBob.output).not.toContain('alice');
    const stranger = await credmon(['status', '--user', 'alice'], 'bob');
    expect([stranger.code, stranger.stdout]).toEqual([1, '']);
    expect(stranger.output).toMatch(/only alice and root may read it$/m);
  });

  it('usable', async () => {
    expect(await credmon(['usable', 'alice', 'mytok', '--seconds', '600'])).toMatchObject({
      code: 0,
    });
    expect((await credmon(['usable', 'alice', 'mytok', '--seconds', '7200'])).code).toBe(1);
    expect((await credmon(['usable', 'bob', 'mytok'])).code).toBe(1);
    const ofAlice = await credmon(['usable', 'alice', 'mytok'], 'alice');
    expect([ofAlice.code, /run this as root/.test(ofAlice.output)]).toEqual([1, true]);
  });

  it('check: nothing wrong for root, and the user is told what cannot be checked', async () => {
    const ofRoot = await credmon(['check', '--user', 'alice']);
    expect(ofRoot.output).toMatch(/^Nothing is wrong\.$/m);
    expect(ofRoot.code).toBe(0);
    const ofAlice = await credmon(['check'], 'alice');
    // What she may not see is no error.
    expect(ofAlice.code).toBe(0);
    expect(ofAlice.output).not.toContain('ERROR');
    expect(ofAlice.output).toMatch(
      /^daemon\n +WARNING +permission denied: cannot check the daemon as this user$/m,
    );
  });

  it('revoke ends the login at the issuer, and the job goes on hold', async () => {
    const { code, output } = await credmon(['revoke', 'alice', 'mytok']);
    expect(code).toBe(0);
    expect(output).toContain(
      'removed alice/mytok (oauth) as user id 0 asked: mytok.use, mytok.top; ' +
        `refresh token revoked at ${mytok.issuer.url}; `,
    );
    expect(pool.log('CredMonOAuthLog')).toMatch(/Audit: .*alice\/mytok/);
    expect(mytok.issuer.revocations.map(({ hint }) => hint)).toEqual([
      'refresh_token',
      'access_token',
    ]);
    expect(tokenFiles(pool, 'alice')).toEqual([]);
    const log = await jobEvent(pool, 'alice', job, /Job was held/);
    expect(log).toContain('Job credentials are not available');
    const again = await submit(pool, { user: 'alice', script: 'true', lines });
    expect(linkIn(again)).toContain('/key/');
  });
});
