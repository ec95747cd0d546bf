// R26: an authority that only the machine knows, for daemon, portal and storer in a pool, with
// a Node.js that ignores the system's certificate store.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createPool,
  POOL_HOST,
  type Pool,
  type PoolProvider,
} from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, startBrowser, visit } from '../slow/browser.ts';
import { tokenClaims } from './job-tokens.ts';
import { linkIn, submit } from './pool-jobs.ts';
import { answerLogin, typed } from './terminals.ts';

/** Debian's Node.js uses the system's certificate store by itself. */
const isDebians = process.config.variables.node_shared_openssl;
const STORE = '/usr/local/share/ca-certificates/credmon-test.crt';
const CA_FILE = '/etc/condor/pool-ca.pem';

describe.skipIf(isPoolMissing())('an authority of the machine', () => {
  let pool: Pool;
  let phone: PoolProvider;
  let web: PoolProvider;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    phone = await pool.addProvider('phone', { secret: false });
    web = await pool.addProvider('web');
    pool.configure({ CREDMON_DEVICE_PROVIDER_NAMES: 'phone', AUTH_SSL_CLIENT_CAFILE: CA_FILE });
    // Before /usr/bin/node in every PATH, also that of condor_master.
    if (!isDebians) copyFileSync(process.execPath, pool.path('/usr/local/bin/node'));
    await pool.startMaster();
  });
  afterAll(() => pool.remove());

  /** The login by device code that makes the daemon fetch a token, because `-P` is missing. */
  async function login(user: string): Promise<Child> {
    const child = typed(pool, user, "condor_credential_storer 'phone&scopes=read'");
    await answerLogin(pool, child, 'login', user);
    await child.exited;
    return child;
  }
  const tokenOf = (user: string): Promise<string> =>
    waitUntil(
      () => {
        try {
          return String(
            readJson(join(pool.credentialDirectory, user, 'phone.use'))['access_token'],
          );
        } catch {
          return undefined;
        }
      },
      { what: `a token of ${user}` },
    );
  const check = (): Promise<{ code: number | null; output: string }> =>
    pool.run(['condor_credmon', 'check']);
  const checkPortal = (): Promise<{ code: number | null; output: string }> =>
    pool.run(['condor_credmon_webserver', '--check'], { user: 'condor' });

  it.skipIf(isDebians)('is unknown to this Node.js itself', async () => {
    const program = `fetch('${web.issuer.url}/jwks').catch((error) => console.log(error.cause.code))`;
    const { output } = await pool.run(['node', '-e', program]);
    expect(output.trim()).toMatch(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/);
  });

  it('in the system store is accepted by storer, daemon and portal', async () => {
    expect((await login('alice')).output).toContain('Stored phone.');
    expect(await tokenClaims(phone, await tokenOf('alice'))).toMatchObject({ sub: 'alice' });

    const browser = await startBrowser({ [POOL_HOST]: await pool.startPortal() });
    const job = { user: 'alice', script: 'true', lines: ['use_oauth_services = web'] };
    const visitor = await visit(browser);
    await visitor.page.goto(linkIn(await submit(pool, job)));
    await signIn(visitor.page, 'web', web.issuer.name);
    await browser.close();
    expect((await submit(pool, job)).output).toContain('submitted to cluster');

    expect((await check()).output).toContain(`${web.issuer.url} is reachable`);
    expect((await checkPortal()).output).toContain(`${web.issuer.url} is reachable`);
  });

  it('that is in no store is named in the errors, and is accepted from AUTH_SSL_CLIENT_CAFILE without a restart', async () => {
    rmSync(pool.path(STORE));
    await pool.must(['update-ca-certificates', '--fresh']);
    const rejected = expect.stringMatching(/"CN=credmon test authority"\s+not\s+trusted/);
    expect(await check()).toMatchObject({ code: 1, output: rejected });
    expect((await checkPortal()).output).toEqual(rejected);
    const storer = typed(pool, 'bob', 'condor_credential_storer phone');
    expect([(await storer.exited).code, storer.output]).toEqual([1, rejected]);

    writeFileSync(pool.path(CA_FILE), pool.ca);
    const reachable = `${web.issuer.url} is reachable`;
    for (const { output } of [await check(), await checkPortal()]) {
      expect(output).toContain(reachable);
      expect(output).not.toEqual(rejected);
    }
    expect((await login('bob')).output).toContain('Stored phone.');
    expect(await tokenClaims(phone, await tokenOf('bob'))).toMatchObject({ sub: 'bob' });
  });
});
