// condor_store_cred as an ordinary user: what it stores is renewed soon, and what it
// deletes stays deleted.
import { tmpdir } from 'node:os';
import { createPool, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Output } from '@credmon/test-fixtures/pool/namespace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logged } from './pool-logs.ts';
import {
  accessTokenIn,
  changedFile,
  STORE_CRED,
  storeLogin,
  tokenFile,
  tokenFiles,
} from './pool-tokens.ts';

const LOG = 'CredMonOAuthLog';

describe.skipIf(isPoolMissing())('condor_store_cred', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok', { accessTokenTtl: 20 });
    pool.configure({ CREDMON_RENEW_FRACTION: 0.2, CREDMON_REQUEST_TIMEOUT: 600 });
    await pool.startMaster();
  });
  afterAll(() => pool.remove());

  const storeCred = (
    action: string,
    user = 'alice',
    more: readonly string[] = [],
  ): Promise<Output> => pool.run([STORE_CRED, action, '-s', 'mytok', ...more], { user });

  it('add-oauth stores a refresh token, and the daemon writes the access token', async () => {
    await storeLogin(pool, 'alice', mytok);
    const use = await tokenFile(pool, 'alice/mytok.use');
    expect(await verifyToken(mytok.issuer, accessTokenIn(use))).toMatchObject({ scope: 'read' });
    expect(tokenFiles(pool, 'alice')).toEqual(['mytok.top', 'mytok.use']);
  });

  it('query-oauth shows both times, to nobody but the user', async () => {
    const query = await storeCred('query-oauth', 'alice', ['-S', 'read']);
    expect(query.code).toBe(0);
    expect(query.output).toMatch(/^A credential was stored and is valid\.$/m);
    expect(query.output).toMatch(/^TopmytokTime = \d+$/m);
    expect(query.output).toMatch(/^mytok = \d+$/m);
    const other = await storeCred('query-oauth', 'bob');
    expect(other.code).toBe(1);
    expect(other.output).toMatch(/^No credential is stored\.$/m);
  });

  it('query-oauth for other scopes than the stored ones fails, as renewals keep what was stored', async () => {
    expect((await storeCred('query-oauth', 'alice', ['-S', 'write'])).code).toBe(2);
  });

  it('delete-oauth removes both files, and nothing comes back', async () => {
    const renewed = await tokenFile(pool, 'alice/mytok.use');
    await changedFile(pool, 'alice/mytok.use', renewed);
    expect((await storeCred('delete-oauth')).code).toBe(0);
    expect(tokenFiles(pool, 'alice')).toEqual([]);
    const query = await storeCred('query-oauth');
    expect([query.code, /^No credential is stored\.$/m.test(query.output)]).toEqual([1, true]);
  });

  it('delete-oauth during a renewal whose response is late: nothing is written back', async () => {
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    const requests = mytok.issuer.log.requests.length;
    await mytok.issuer.setFault('held');
    await waitUntil(() => mytok.issuer.log.requests.length > requests, {
      what: 'a request for a renewal',
    });
    expect((await storeCred('delete-oauth')).code).toBe(0);
    const log = await logged(pool, LOG, /alice\/mytok/, () => mytok.issuer.setFault());
    expect(log).not.toContain('ERROR');
    expect(tokenFiles(pool, 'alice')).toEqual([]);
    // A new login works at once.
    await storeLogin(pool, 'alice', mytok);
    await tokenFile(pool, 'alice/mytok.use');
    expect(mytok.issuer.log.presentedTwice()).toEqual([]);
    expect(pool.log(LOG)).not.toContain('ERROR');
  });
});
