// Tests of single programs begin with files that test-fixtures writes in place of CredD:
// here CredD itself writes them, and they are the same.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  deleteCredential,
  keyFileText,
  markUser,
  storeCredential,
  writeKeyFile,
  type KeyFileAd,
} from '@credmon/test-fixtures/files/credd';
import { listing } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createPool, type Pool } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobEvent, linkIn, submit } from './pool-jobs.ts';
import { STORE_CRED } from './pool-tokens.ts';

describe.skipIf(isPoolMissing())('what tests write in place of CredD', () => {
  let pool: Pool;
  let ours: string;
  beforeAll(async () => {
    pool = await createPool(tmpdir());
    const mytok = await pool.addProvider('mytok');
    await pool.addProvider('dcache');
    // The daemon must not renew what is stored here.
    await mytok.issuer.setFault('held');
    pool.configure({
      ABSENT_OWNER_LIFETIME: 1,
      SCHEDD_INTERVAL: 1,
      SEC_CREDENTIAL_SWEEP_DELAY: 3600,
    });
    await pool.startMaster();
    ours = mkdtempSync(join(tmpdir(), 'credmon-credd-files-'));
  });
  afterAll(async () => {
    rmSync(ours, { recursive: true, force: true });
    await pool.remove();
  });

  const modeOf = (path: string): number => statSync(path).mode & 0o7777;

  it('is its key file', async () => {
    const lines = [
      'use_oauth_services = mytok, dcache',
      'mytok_oauth_permissions_reading = read, write:/a',
      'mytok_oauth_resource_reading = https://a.example',
      'dcache_oauth_permissions = storage.read:/',
    ];
    const link = linkIn(await submit(pool, { user: 'alice', script: 'true', lines }));
    const path = join(pool.credentialDirectory, basename(link));
    const text = readFileSync(path, 'utf8');
    const ads = text.split('\n\n').map((ad) => Object.fromEntries(valuesOf(ad)) as unknown);
    expect(ads).toMatchObject([
      { Provider: 'dcache', Handle: '' },
      { Provider: 'mytok', Handle: 'reading', LocalUser: 'alice' },
    ]);
    // 23.9 sorts the attributes by name, 25.14 by length and name as the fixture does.
    const sorted = (ad: string): string[] => ad.trimEnd().split('\n').sort();
    expect(
      keyFileText(ads as KeyFileAd[])
        .split('\n\n')
        .map(sorted),
    ).toEqual(text.split('\n\n').map(sorted));
    const written = writeKeyFile(ours, new URL('..', link).href.slice(0, -1), text, basename(link));
    expect([written.url, modeOf(written.path)]).toEqual([link, modeOf(path)]);
  });

  it('is a stored credential, and what is left of it', async () => {
    const input = JSON.stringify({ refresh_token: 'CANARY-stored' });
    const storeCred = (action: string, ...more: string[]): Promise<string> =>
      pool.must([STORE_CRED, action, '-s', 'mytok', ...more], { user: 'bob', input });
    await storeCred('add-oauth', '-i', '-');
    const theirs = join(pool.credentialDirectory, 'bob');
    const name = { directory: ours, user: 'bob', stem: 'mytok' };
    storeCredential(name, readFileSync(join(theirs, 'mytok.top'), 'utf8'));
    expect(listing(join(ours, 'bob'))).toEqual(listing(theirs));
    expect(modeOf(join(ours, 'bob'))).toBe(modeOf(theirs) & 0o777);
    await storeCred('delete-oauth');
    deleteCredential(name);
    expect(listing(join(ours, 'bob'))).toEqual(listing(theirs));
  });

  it('is the mark of a user without jobs', async () => {
    const { name } = await submit(pool, { user: 'bob', script: 'true', lines: [] });
    await jobEvent(pool, 'bob', name, /Job terminated/);
    const mark = join(pool.credentialDirectory, 'bob.mark');
    await waitUntil(() => existsSync(mark), { what: 'the mark' });
    markUser(ours, 'bob');
    expect([readFileSync(join(ours, 'bob.mark'), 'utf8'), modeOf(join(ours, 'bob.mark'))]).toEqual([
      readFileSync(mark, 'utf8'),
      modeOf(mark),
    ]);
  });
});

/** The names and values of a key file's ad, as they are written. */
function valuesOf(ad: string): [string, string][] {
  return [...ad.matchAll(/^(\w+) = "(.*)"$/gm)].map(([, name = '', value = '']) => [name, value]);
}
