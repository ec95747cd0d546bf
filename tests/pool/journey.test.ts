// The journey of a user with nothing but real parts: condor_submit, CredD, condor_master, a
// job that runs, Chromium, nginx and an OpenID provider.
import { tmpdir } from 'node:os';
import {
  createPool,
  POOL_HOST,
  POOL_PREFIX,
  type Pool,
  type PoolProvider,
} from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedTokens, signIn, startBrowser, visit } from '../slow/browser.ts';
import { jobEvent, linkIn, submit } from './pool-jobs.ts';

describe.skipIf(isPoolMissing())('condor_submit, a sign-in and a job that runs', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  let browser: Browser;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok', { accessTokenTtl: 30 });
    pool.configure({ CREDMON_RENEW_FRACTION: 0.2 });
    await pool.startMaster();
    browser = await startBrowser({ [POOL_HOST]: await pool.startPortal() });
  });
  afterAll(async () => {
    await browser?.close();
    await pool.remove();
  });

  it('gives the job a token that the daemon renews while the job runs', async () => {
    const job = {
      user: 'alice',
      // A token each time when there is a new one, three in all.
      script: `seen=0 last=
while [ $seen -lt 3 ]; do
  token=$(cat "$_CONDOR_CREDS/mytok.use")
  if [ "$token" != "$last" ]; then
    echo "$(date +%s) $token"; last=$token; seen=$((seen + 1))
  fi
  sleep 0.2
done`,
      lines: ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'],
    };
    const first = await submit(pool, job);
    const link = linkIn(first);
    expect(link.startsWith(`${POOL_PREFIX}/key/`)).toBe(true);
    expect(first.output).not.toMatch(/submitted to cluster/);

    const visitor = await visit(browser);
    const { page, complaints } = visitor;
    await page.goto(link);
    expect(await listedTokens(page)).toEqual(['mytok: Waiting for you']);
    await signIn(page, 'mytok', mytok.issuer.name);
    expect(complaints).toEqual([]);
    await visitor.close();

    const second = await submit(pool, job);
    expect(second.output).toMatch(/1 job\(s\) submitted to cluster/);
    await jobEvent(pool, 'alice', second.name, /Job terminated/);
    const tokens = pool.read(`/home/alice/${second.name}.out`).trim().split('\n');
    expect(tokens).toHaveLength(3);
    for (const line of tokens) {
      const [, seconds, json] = /^(\d+) (.*)$/.exec(line) ?? [];
      const { access_token: token } = JSON.parse(json ?? '') as { access_token: string };
      const now = new Date(Number(seconds) * 1000);
      expect(await verifyToken(mytok.issuer, token, undefined, now)).toMatchObject({
        scope: 'read',
      });
    }
    expect(mytok.issuer.log.presentedTwice()).toEqual([]);
  });
});
