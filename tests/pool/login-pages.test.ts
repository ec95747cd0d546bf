// The logins that docs/device-login.md and docs/standing-tokens.md show, by copy and paste
// in a pool, with the output below each command. The test is the person who logs in.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createPool, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, blocksToRun, dialogueOf, missingLines } from '../support/page-blocks.ts';
import { answerLogin, typed } from './terminals.ts';

const DEVICE = 'docs/device-login.md';
const STANDING = 'docs/standing-tokens.md';

/** The block of a page without commands that has this line. */
function shown(page: string, line: string): string {
  const found = blocksOf(page).find(({ text }) => text.includes(`${line}\n`));
  if (!found) throw new Error(`${page} has no block with ${line}`);
  return found.text;
}

/** Without the addresses, codes and numbers of one login. */
const plain = (text: string): string =>
  text
    .replaceAll('\r', '')
    .replaceAll(/https:[^\s)]+?(?=:?\)|:?\s|$)/gm, 'URL')
    .replaceAll(/\b[A-Z]{4}-[A-Z]{4}\b/g, 'CODE')
    .replaceAll(/\d+/g, '0');

describe.skipIf(isPoolMissing())('the logins on the pages', () => {
  let pool: Pool;
  let phone: PoolProvider;
  let web: PoolProvider;

  beforeAll(async () => {
    pool = await createPool(tmpdir());
    phone = await pool.addProvider('phone', { secret: false });
    web = await pool.addProvider('web');
    const client = shown(DEVICE, 'MYTOK_CLIENT_ID = ...')
      .replace('...', phone.clientId)
      .replace('https://issuer.example/token', phone.issuer.tokenUrl)
      .replace('https://issuer.example', phone.issuer.url);
    const lists = shown(DEVICE, 'VAULT_CREDMON_PROVIDER_NAMES = mytok');
    // "If the issuer gives refresh tokens only for a certain scope, add that scope", as here.
    const scopes = 'CREDMON_MYTOK_EXTRA_SCOPES = offline_access\n';
    // Without the example's provider, which has the same name and a secret.
    const [once = ''] = pool.read('/etc/condor/config.d/60-credmon.conf').split('# One block');
    pool.write('/etc/condor/config.d/60-credmon.conf', once);
    pool.write('/etc/condor/config.d/61-mytok.conf', client + scopes + lists);
    const standing = readFileSync('configs/condor/63-credmon-standing-login.conf', 'utf8');
    pool.write(
      '/etc/condor/config.d/63-credmon-standing-login.conf',
      standing
        .replace('change-me', web.clientId)
        .replace('/etc/condor/oauth/site.secret', '/etc/condor/oauth/web.secret')
        .replace('https://issuer.example.org', web.issuer.url),
    );
    await pool.must([
      'useradd',
      '--create-home',
      '--home-dir',
      '/var/lib/data-mover',
      'data-mover',
    ]);
    await pool.startMaster();
  });
  afterAll(() => pool?.remove());

  /**
   * Types the command of a page, and logs in at the address that it prints. Returns the
   * lines of the page that were not printed.
   */
  async function logIn(text: string, user: string): Promise<string[]> {
    const { command, shown: lines } = dialogueOf(text);
    const login = typed(pool, user, `cd; ${command}`);
    await answerLogin(pool, login, 'login', user === 'root' ? 'robot' : user);
    const { code } = await login.exited;
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${login.output}`);
    return missingLines(lines.map(plain), plain(login.output));
  }

  function writeJob(user: string, ...lines: readonly string[]): void {
    const text = ['executable = /bin/true', ...lines, 'queue', ''].join('\n');
    pool.write(`/home/${user}/job.sub`, text);
  }

  const [storer = '', submit = '', refused = '', ...more] = blocksToRun(DEVICE, 'console run');

  it('device-login.md has these dialogues', () => {
    expect(more).toEqual([]);
  });

  it('without a terminal, the storer names the command to run by hand', async () => {
    const message = shown(DEVICE, "condor_credential_storer 'mytok&scopes=read'");
    const { code, output } = await pool.run(['condor_credential_storer', 'mytok&scopes=read'], {
      user: 'bob',
    });
    expect(code).toBe(1);
    expect(missingLines(message.split('\n'), output)).toEqual([]);
  });

  it('condor_credential_storer shows the login as device-login.md does', async () => {
    expect(await logIn(storer, 'alice')).toEqual([]);
  });

  it('condor_submit waits for the login, and submits the job', async () => {
    writeJob('bob', 'use_oauth_services = mytok');
    expect(await logIn(submit, 'bob')).toEqual([]);
  });

  it('condor_submit names the way to the link for a service with a sign-in on the web', async () => {
    writeJob('alice', 'use_oauth_services = web');
    const { command, shown: lines } = dialogueOf(refused);
    const { code, output } = await pool.run(['sh', '-c', `cd; ${command}`], { user: 'alice' });
    expect(code).toBe(1);
    expect(missingLines(lines, output)).toEqual([]);
  });

  it('condor_credmon standing login stores the login, and the daemon fetches the token', async () => {
    const [login = '', ...others] = blocksToRun(STANDING, 'console run');
    expect(others).toEqual([]);
    expect(await logIn(login, 'root')).toEqual([]);
    const written = ['stat', '-c', '%U %a', '/var/lib/data-mover/token'];
    expect(await pool.must(written)).toBe('data-mover 600\n');
  });
});
