// The device login at submit time: HTCondor's condor_submit and condor_store_cred, our
// condor_credential_storer, and the device page of an issuer.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createPool,
  POOL_HOST,
  type Pool,
  type PoolProvider,
} from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, startBrowser, visit } from '../slow/browser.ts';
import { PRINT_TOKENS, printedTokens, tokenClaims } from './job-tokens.ts';
import { linkIn, submit, writeJob, type Job } from './pool-jobs.ts';
import { answerLogin, typed } from './terminals.ts';

const SUBMITTED = /1 job\(s\) submitted to cluster/;
const STORER = '/usr/local/bin/condor_credential_storer';

describe.skipIf(isPoolMissing())('a device login at submit time', () => {
  let pool: Pool;
  let phone: PoolProvider;
  let web: PoolProvider;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    phone = await pool.addProvider('phone', { secret: false });
    web = await pool.addProvider('web');
    pool.configure({
      SEC_CREDENTIAL_STORER: STORER,
      VAULT_CREDMON_PROVIDER_NAMES: 'phone',
      CREDMON_DEVICE_PROVIDER_NAMES: 'phone',
    });
    await pool.startMaster();
  });
  afterAll(async () => {
    await pool.remove();
  });

  const jobOf = (user: string, ...lines: readonly string[]): Job => ({
    user,
    script: PRINT_TOKENS,
    lines,
  });
  const READ = ['use_oauth_services = phone', 'phone_oauth_permissions = read'];
  const stored = (user: string, file: string): string => join(pool.credentialDirectory, user, file);

  it('R19 without a terminal fails with the command to type once, and then needs no terminal', async () => {
    const first = await submit(pool, jobOf('bob', ...READ));
    expect([first.code, first.output]).toEqual([1, expect.not.stringMatching(SUBMITTED)]);
    expect(first.output).toContain('phone needs a login, and there is no terminal to show it on');
    const [, line = ''] = /^ {4}(condor_credential_storer .*)$/m.exec(first.output) ?? [];
    expect(line).toBe("condor_credential_storer 'phone&scopes=read'");

    // Debian's users have no sbin in PATH, where condor_store_cred is.
    expect((await pool.run(['which', 'condor_store_cred'], { user: 'bob' })).code).not.toBe(0);
    const login = typed(pool, 'bob', line);
    await answerLogin(pool, login, 'login', 'bob');
    expect(await login.exited).toEqual({ code: 0, signal: null });

    const second = await submit(pool, jobOf('bob', ...READ));
    expect([second.code, second.output]).toEqual([0, expect.stringMatching(SUBMITTED)]);
    const tokens = await printedTokens(pool, 'bob', second.name);
    expect(await tokenClaims(phone, tokens['phone.use'])).toEqual({ sub: 'bob', scope: 'read' });
  });

  it('R19 that the user declines submits nothing and stores nothing', async () => {
    const name = await writeJob(pool, jobOf('alice', ...READ));
    const login = typed(pool, 'alice', `condor_submit /home/alice/${name}.sub`);
    await answerLogin(pool, login, 'cancel', 'alice');
    expect((await login.exited).code).toBe(1);
    expect(login.output).toContain('login for phone declined by the user');
    expect(login.output).not.toMatch(SUBMITTED);
    expect(existsSync(stored('alice', 'phone.top'))).toBe(false);
  });

  it('R19 on a terminal shows address, QR code and code, waits, and submits a job that gets the token', async () => {
    const name = await writeJob(pool, jobOf('alice', ...READ));
    const login = typed(pool, 'alice', `condor_submit /home/alice/${name}.sub`);
    const [, code = ''] = await login.printed(/must show this code[^]*?\n\s+(\w{4}-\w{4})\s/);
    expect(login.output).toMatch(/^ {4}https:\S+user_code=/m);
    expect(login.output).toContain(`user_code=${code}`);
    expect(login.output).toMatch(/[▄▀█]{10}/u);
    expect(login.output).not.toMatch(SUBMITTED);
    await answerLogin(pool, login, 'login', 'alice');
    expect(await login.exited).toEqual({ code: 0, signal: null });
    // condor_store_cred of HTCondor 23.9 has no option -P.
    expect(login.output).toContain('condor_credmon will get one at once');
    expect(login.output).not.toMatch(/unrecognized option|usage:/i);
    expect(login.output).toMatch(SUBMITTED);

    const tokens = await printedTokens(pool, 'alice', name);
    const access = tokens['phone.use'] ?? '';
    expect(await tokenClaims(phone, access)).toEqual({ sub: 'alice', scope: 'read' });
    const top = readJson(stored('alice', 'phone.top'));
    expect(top['scopes']).toBe('read');
    const secrets = { access, refresh: String(top['refresh_token']) };
    expect(findSecrets(secrets, { terminal: login.output })).toEqual([]);
    expect(existsSync(stored('alice', 'phone.meta'))).toBe(false);
  });

  it('R19 for other permissions than stored is rejected with the command that helps', async () => {
    const lines = ['use_oauth_services = phone', 'phone_oauth_permissions = write'];
    const { code, output } = await submit(pool, jobOf('alice', ...lines));
    expect(code).toBe(1);
    const [, command = ''] = /fix: (condor_store_cred delete-oauth .*?)\r?$/m.exec(output) ?? [];
    expect(command).toBe('condor_store_cred delete-oauth -s phone');
    await pool.must(['sh', '-c', `/usr/sbin/${command}`], { user: 'alice' });
    expect(existsSync(stored('alice', 'phone.top'))).toBe(false);
  });

  it("works by the name of HTCondor's own storer, condor_vault_storer", async () => {
    const name = await writeJob(pool, jobOf('alice', ...READ));
    const login = typed(pool, 'alice', `condor_submit /home/alice/${name}.sub`, {
      _CONDOR_SEC_CREDENTIAL_STORER: '/usr/local/bin/condor_vault_storer',
    });
    await answerLogin(pool, login, 'login', 'alice');
    expect([(await login.exited).code, login.output]).toEqual([
      0,
      expect.stringMatching(SUBMITTED),
    ]);
  });

  it('beside a service with a sign-in on the web says how to get its link, and the job reads both tokens', async () => {
    const browser = await startBrowser({ [POOL_HOST]: await pool.startPortal() });
    const both = jobOf(
      'alice',
      'use_oauth_services = web, phone',
      'phone_oauth_permissions = read',
      'web_oauth_permissions = write',
    );
    const first = await submit(pool, both);
    expect([first.code, first.output]).toEqual([1, expect.not.stringMatching(SUBMITTED)]);
    expect(first.output).toContain('web is not stored: users sign in on the web.');
    const [, line = ''] = /^ {4}(_CONDOR_.* condor_submit) FILE$/m.exec(first.output) ?? [];

    const linked = await pool.run(['sh', '-c', `${line} /home/alice/${first.name}.sub`], {
      user: 'alice',
    });
    const visitor = await visit(browser);
    await visitor.page.goto(linkIn(linked));
    await signIn(visitor.page, 'web', web.issuer.name);
    await browser.close();

    const second = await submit(pool, both);
    expect([second.code, second.output]).toEqual([0, expect.stringMatching(SUBMITTED)]);
    const tokens = await printedTokens(pool, 'alice', second.name);
    expect(Object.keys(tokens)).toEqual(['phone.use', 'web.use']);
    expect(await tokenClaims(web, tokens['web.use'])).toEqual({ sub: 'alice', scope: 'write' });
    expect(await tokenClaims(phone, tokens['phone.use'])).toMatchObject({ scope: 'read' });
  });
});
