// What a submit file can ask for, with the real condor_submit and CredD: several handles and
// providers, other permissions than before, and the tokens of two users.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import {
  createPool,
  POOL_HOST,
  type Pool,
  type PoolProvider,
} from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listedTokens, signIn, startBrowser, visit } from '../slow/browser.ts';
import { PRINT_TOKENS, printedTokens, tokenClaims } from './job-tokens.ts';
import { linkIn, submit, type Job } from './pool-jobs.ts';

const SUBMITTED = /1 job\(s\) submitted to cluster/;

describe.skipIf(isPoolMissing())('what a submit file asks for', () => {
  let pool: Pool;
  let mytok: PoolProvider;
  let dcache: PoolProvider;
  let browser: Browser;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    mytok = await pool.addProvider('mytok');
    dcache = await pool.addProvider('dcache');
    await pool.startMaster();
    browser = await startBrowser({ [POOL_HOST]: await pool.startPortal() });
  });
  afterAll(async () => {
    await browser?.close();
    await pool.remove();
  });

  const jobOf = (user: string, ...lines: readonly string[]): Job => ({
    user,
    script: PRINT_TOKENS,
    lines,
  });

  /** Opens the link in a browser of its own and signs in to all tokens of its list. */
  async function signInToAll(
    link: string,
    tokens: Readonly<Record<string, PoolProvider>>,
    account?: string,
  ): Promise<void> {
    const visitor = await visit(browser);
    const { page, complaints } = visitor;
    await page.goto(link);
    const labels = Object.keys(tokens);
    expect(await listedTokens(page)).toEqual(labels.map((label) => `${label}: Waiting for you`));
    for (const [label, { issuer }] of Object.entries(tokens))
      await signIn(page, label, issuer.name, account);
    expect(await listedTokens(page)).toEqual(labels.map((label) => `${label}: Signed in`));
    expect(complaints).toEqual([]);
    await visitor.close();
  }

  const several = [
    'use_oauth_services = mytok, dcache',
    'mytok_oauth_permissions_reading = read',
    'mytok_oauth_permissions_writing = write',
    'dcache_oauth_permissions = storage.read:/',
  ];

  it('two handles and two providers are one page with a sign-in each, and the job reads all tokens', async () => {
    const first = await submit(pool, jobOf('alice', ...several));
    expect([first.code, first.output]).toEqual([1, expect.not.stringMatching(SUBMITTED)]);
    const signedIn = { dcache, 'mytok reading': mytok, 'mytok writing': mytok };
    await signInToAll(linkIn(first), signedIn);

    const second = await submit(pool, jobOf('alice', ...several));
    expect([second.code, second.output]).toEqual([0, expect.stringMatching(SUBMITTED)]);
    const tokens = await printedTokens(pool, 'alice', second.name);
    expect(Object.keys(tokens)).toEqual(['dcache.use', 'mytok_reading.use', 'mytok_writing.use']);
    expect(await tokenClaims(dcache, tokens['dcache.use'])).toEqual({
      sub: 'alice',
      scope: 'storage.read:/',
    });
    expect(await tokenClaims(mytok, tokens['mytok_reading.use'])).toMatchObject({ scope: 'read' });
    expect(await tokenClaims(mytok, tokens['mytok_writing.use'])).toMatchObject({ scope: 'write' });
  });

  it('the same request again needs no sign-in', async () => {
    const again = await submit(pool, jobOf('alice', ...several));
    expect([again.code, again.output]).toEqual([0, expect.stringMatching(SUBMITTED)]);
    expect(again.output).not.toContain('Please visit');
  });

  it("another user's request has a link of its own, and the tokens are that user's", async () => {
    const lines = ['use_oauth_services = mytok', 'mytok_oauth_permissions = read'];
    const first = await submit(pool, jobOf('bob', ...lines));
    expect(first.output).toContain('bob');
    await signInToAll(linkIn(first), { mytok }, 'bob');
    const second = await submit(pool, jobOf('bob', ...lines));
    const tokens = await printedTokens(pool, 'bob', second.name);
    expect(Object.keys(tokens)).toEqual(['mytok.use']);
    expect(await tokenClaims(mytok, tokens['mytok.use'])).toEqual({ sub: 'bob', scope: 'read' });
    await expect.poll(() => ownStatus('bob')).toEqual(['bob mytok']);
    await expect
      .poll(() => ownStatus('alice'))
      .toEqual(['alice dcache', 'alice mytok reading', 'alice mytok writing']);
  });

  /** The user's tokens, as the user sees them. */
  async function ownStatus(user: string): Promise<string[]> {
    const status = await pool.must(['condor_credmon', 'status', '--json'], { user });
    type Row = Readonly<Record<'user' | 'service' | 'handle', string>>;
    const { tokens } = JSON.parse(status) as { tokens: readonly Row[] };
    return tokens.map(({ user: owner, service, handle }) => `${owner} ${service} ${handle}`.trim());
  }

  it('other permissions than stored are rejected with the command that helps, and then need a new sign-in', async () => {
    const lines = ['use_oauth_services = dcache', 'dcache_oauth_permissions = storage.modify:/'];
    const rejected = await submit(pool, jobOf('alice', ...lines));
    expect(rejected.code).toBe(1);
    expect(rejected.output).toContain('credentials exist that do not match the request');
    const [, command = ''] = /^ +(condor_store_cred delete-oauth .*)$/m.exec(rejected.output) ?? [];
    expect(command).toBe('condor_store_cred delete-oauth -s dcache');

    // Debian installs condor_store_cred where users have no PATH.
    const [program, ...words] = command.split(' ');
    await pool.must([`/usr/sbin/${program}`, ...words], { user: 'alice' });
    const files = join(pool.credentialDirectory, 'alice');
    expect(existsSync(join(files, 'dcache.top'))).toBe(false);

    await signInToAll(linkIn(await submit(pool, jobOf('alice', ...lines))), { dcache });
    const { name } = await submit(pool, jobOf('alice', ...lines));
    const tokens = await printedTokens(pool, 'alice', name);
    expect(await tokenClaims(dcache, tokens['dcache.use'])).toMatchObject({
      scope: 'storage.modify:/',
    });
  });
});
