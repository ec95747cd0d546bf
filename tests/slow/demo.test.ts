// The demo as the README says it: without a human it checks itself, and however it ends
// it leaves nothing behind.
import { startProcess } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDemoRuns, outcome, type DemoRuns } from '../support/demo-runs.ts';
import { root } from './daemon-runs.ts';

let runs: DemoRuns;
beforeEach(() => {
  runs = createDemoRuns(root);
});
afterEach(() => runs.remove());

describe('npm run demo', () => {
  it('-- --auto logs in, sees two renewals, checks, and exits with 0', async () => {
    const npm = startProcess(
      'npm',
      ['--prefix', root, 'run', 'demo', '--', '--auto', '--ttl', '16'],
      runs.environment,
    );
    expect(await outcome(npm)).toBe('exit 0');
    const said = npm.output.split('\n').filter((line) => line.startsWith('ok  '));
    expect(said).toEqual([
      'ok  the login ends on a page that says so',
      'ok  the credential directory holds .top, .use and .meta of every token',
      'ok  the key file is gone',
      'ok  every token was renewed 2 times by the daemon',
      'ok  no .use was ever expired',
      'ok  the issuer saw rotated refresh tokens in use',
      'ok  the issuer saw no refresh token twice',
      'ok  no secret is in any log',
      'ok  both processes end with exit code 0',
    ]);
    expect(npm.output).toMatch(/demo: all of this held, in \d+ s/);
    expect(readdirSync(runs.temporary)).toEqual([]);
  });

  it('prints the link, follows the tokens, and Ctrl-C leaves neither processes nor files behind', async () => {
    const child = runs.demo();
    const [, url = ''] = await child.printed(/Please visit:\s+(\S+)/);
    const [, directory = ''] = await child.printed(/Credential directory: (\S+)/);
    expect(child.output).toContain('asks for no password: press "Log in" there.');
    const pid = await waitUntil(() => existsSync(join(directory, 'pid')), { what: 'the daemon' });
    expect([pid, (await httpBrowser().open(url)).status]).toEqual([true, 200]);
    expect(
      runs.processes().filter(({ line }) => line.includes('/bin/condor_credmon')),
    ).toHaveLength(2);
    await child.printed(/alice +mytok +waiting for you/);
    for (const line of child.output.split('\n').filter((text) => /OWNER|alice {2}/.test(text)))
      expect(line.length).toBeLessThanOrEqual(80);
    child.signal('SIGINT');
    expect(await outcome(child)).toBe('exit 0');
    expect([readdirSync(runs.temporary), runs.processes()]).toEqual([[], []]);
    await expect(httpBrowser().open(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('shows a login and the renewals that follow', async () => {
    const child = runs.demo('--ttl', '16');
    const [, url = ''] = await child.printed(/Please visit:\s+(\S+)/);
    await loginThroughPortal(url);
    await child.printed(/alice +mytok +(valid|just renewed) +\d+ +2$/m);
    expect(child.output).not.toContain('EXPIRED');
    child.signal('SIGINT');
    expect(await outcome(child)).toBe('exit 0');
  });

  it('interrupted with --auto says so and leaves nothing behind', async () => {
    const child = runs.demo('--auto', '--ttl', '60');
    await child.printed(/the key file is gone/);
    child.signal('SIGTERM');
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(child.output).toMatch(/demo: interrupted/);
    expect([readdirSync(runs.temporary), runs.processes()]).toEqual([[], []]);
  });

  it.each([
    ['--tll', '6'],
    ['--ttl', 'soon'],
    ['--ttl', '1'],
    ['--pool', '--ttl=14'],
  ])('%s %s is a misuse', async (...args) => {
    const child = runs.demo(...args);
    expect(await child.exited).toEqual({ code: 2, signal: null });
    expect(child.output).toMatch(/^demo: [^]*npm run demo -- /);
  });

  it('-- --pool without the archive of the pool says how to make it', async () => {
    const bare = createDemoRuns(root, { CREDMON_POOL_ROOT: '/nowhere/pool-root.tar.zst' });
    const child = bare.demo('--pool');
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(child.output).toBe(
      'demo: --pool needs /nowhere/pool-root.tar.zst; make it once as root: apt-get install debootstrap zstd && test-fixtures/pool/make-root.sh\n',
    );
    expect(readdirSync(bare.temporary)).toEqual([]);
    bare.remove();
  });

  it('-- --help explains itself', async () => {
    const child = runs.demo('--help');
    expect([await child.exited, child.output]).toEqual([
      { code: 0, signal: null },
      expect.stringContaining('--ttl SECONDS'),
    ]);
  });
});
