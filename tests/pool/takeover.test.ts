// HTCondor's own Python credmon and ours take turns at one credential directory.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
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
import { signIn, startBrowser, visit } from '../slow/browser.ts';
import { linkIn, submit } from './pool-jobs.ts';
import { accessTokenIn, CREDENTIALS, tokenFile, tokenFiles } from './pool-tokens.ts';

const OURS = '/usr/local/bin/condor_credmon';
const THEIRS = '/usr/sbin/condor_credmon_oauth';
const PORTAL = '/usr/local/bin/condor_credmon_webserver';

describe.skipIf(isPoolMissing())('a credential directory of two programs', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  let browser: Browser;
  let stopPortal: () => Promise<unknown>;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    // The Python programs know no PKCE, and renew at half of the lifetime.
    mytok = await pool.addProvider('mytok', { accessTokenTtl: 12, pkceRequired: false });
    // Debian has no Python module of this name; only tokens signed here need what is in it.
    const modules = '/usr/lib/python3/dist-packages/scitokens';
    pool.write(`${modules}/__init__.py`, '');
    pool.write(`${modules}/utils.py`, 'string_from_long = None\n');
    const program = readFileSync(
      fileURLToPath(new URL('../../test-fixtures/pool/python-portal.py', import.meta.url)),
      'utf8',
    );
    pool.write('/usr/local/lib/python-portal.py', program);
    pool.configure({ CREDMON_OAUTH: THEIRS });
    await pool.startMaster();
    browser = await startBrowser({ [POOL_HOST]: await pool.startPortal() });
    const portal = (await pool.must(['pgrep', '-u', 'condor', '-f', PORTAL])).trim().split('\n');
    stopPortal = () => pool.must(['kill', ...portal]);
  });
  afterAll(async () => {
    await browser?.close();
    await pool.remove();
  });

  const startPortal = async (command: readonly string[]): Promise<void> => {
    await stopPortal();
    const portal = pool.start(command, { user: 'condor' });
    await portal.printed(/serves /);
    stopPortal = () => portal.stop();
  };
  const running = (program: string): readonly string[] => ['-f', `^\\S+ ${program}$`];
  /** Ends one program and starts the other, as an administrator does. */
  const switchTo = async (program: string): Promise<void> => {
    const before = program === OURS ? THEIRS : OURS;
    await pool.must(['condor_off', '-daemon', 'CREDMON_OAUTH']);
    let tries = 0;
    await waitUntil(
      async () => {
        const { stdout } = await pool.run(['pgrep', ...running(before)]);
        // The Python program forgets a SIGTERM that arrives while it renews a token, and
        // may hang then: condor_master would kill it after SHUTDOWN_GRACEFUL_TIMEOUT.
        tries += 1;
        const signal = tries > 5 ? '-KILL' : '-TERM';
        if (stdout !== '' && before === THEIRS)
          await pool.run(['pkill', signal, ...running(before)]);
        return stdout === '';
      },
      { what: `the end of ${before}`, every: 2 },
    );
    pool.configure({ CREDMON_OAUTH: program });
    await pool.must(['condor_reconfig']);
    await waitUntil(
      async () => {
        // condor_master ignores this until it knows that the old one has ended.
        await pool.run(['condor_on', '-daemon', 'CREDMON_OAUTH']);
        const { stdout } = await pool.run(['pgrep', ...running(program)]);
        const { stdout: pid } = await pool.run(['cat', `${CREDENTIALS}/pid`]);
        return pid !== '' && stdout.trim().split('\n').includes(pid.trim());
      },
      { what: `a running ${program}`, every: 0.5 },
    ).catch((error: unknown) => {
      const ends = ['MasterLog', 'CredMonOAuthLog'].map((name) => pool.log(name).slice(-3000));
      throw new Error(`${String(error)}\n${ends.join('\n')}`, { cause: error });
    });
  };
  const lines = ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'];
  const ask = async (user: string): Promise<string> =>
    linkIn(await submit(pool, { user, script: 'true', lines }));
  /** Waits until the token of a user has been renewed, and verifies it. */
  const renewed = async (user: string, old: string): Promise<string> => {
    const use = await waitUntil(
      async () => {
        // The Python program looks once a minute, and at this signal.
        await pool.must(['kill', '-HUP', pool.read(`${CREDENTIALS}/pid`).trim()]);
        const text = await tokenFile(pool, `${user}/mytok.use`);
        return text !== old && text;
      },
      { what: `a new token of ${user}`, every: 1 },
    );
    await verifyToken(mytok.issuer, accessTokenIn(use));
    return use;
  };

  const use: Record<string, string> = {};

  it('a sign-in with the Python programs is renewed by the Python credmon', async () => {
    await startPortal(['python3', '/usr/local/lib/python-portal.py']);
    const visitor = await visit(browser);
    const { page } = visitor;
    await page.goto(await ask('alice'), { waitUntil: 'domcontentloaded' });
    await page.getByRole('link', { name: 'Login' }).click();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL(`${POOL_PREFIX}/`, { waitUntil: 'domcontentloaded' });
    await visitor.close();
    expect(tokenFiles(pool, 'alice')).toEqual(['mytok.meta', 'mytok.top', 'mytok.use']);
    use['alice'] = await renewed('alice', await tokenFile(pool, 'alice/mytok.use'));
  });

  it('our daemon renews it', async () => {
    await switchTo(OURS);
    use['alice'] = await renewed('alice', use['alice'] ?? '');
    expect(JSON.parse(use['alice'])).toHaveProperty('issued_at');
    expect(tokenFiles(pool, 'alice')).toEqual(['mytok.meta', 'mytok.top', 'mytok.use']);
  });

  it('so it does for a user who signs in at our portal', async () => {
    await startPortal([PORTAL]);
    const visitor = await visit(browser);
    const { page } = visitor;
    await page.goto(await ask('bob'));
    await signIn(page, 'mytok', mytok.issuer.name);
    await visitor.close();
    use['bob'] = await renewed('bob', await tokenFile(pool, 'bob/mytok.use'));
    const accepted = await submit(pool, { user: 'alice', script: 'true', lines });
    expect(accepted.output).toMatch(/1 job\(s\) submitted/);
  });

  it('the Python credmon renews both again, and ours after it', async () => {
    for (const program of [THEIRS, OURS]) {
      await switchTo(program);
      await Promise.all(
        ['alice', 'bob'].map(async (user) => {
          use[user] = await renewed(user, use[user] ?? '');
        }),
      );
    }
    expect(mytok.issuer.log.presentedTwice()).toEqual([]);
    await pool.must([OURS, 'check']);
    // What the Python credmon logs.
    for (const user of ['alice', 'bob'])
      expect(pool.log('CredMonOAuthLog')).toContain(
        `Successfully refreshed mytok tokens for user ${user}\n`,
      );
  });
});
