// docs/providers/README.md, "Try a page without an account": its commands in one shell,
// with the configuration of the Keycloak page, a sign-in and a renewal.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount } from '@credmon/test-fixtures/browsers/http-login';
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blocksOf, blocksToRun } from '../support/page-blocks.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'docs/providers/README.md';

let home: string;
let shell: Child | undefined;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'credmon-trial-'));
});
afterAll(async () => {
  shell?.signal('SIGKILL', { group: true });
  await shell?.exited;
  rmSync(home, { recursive: true, force: true });
});

/** The lines of the page in place of the first two of the Keycloak page, then its others. */
function configuration(issuer: string): string {
  const own = blocksOf(PAGE).find(({ text }) => text.includes('LOG = $ENV(HOME)/try'))?.text ?? '';
  const provider = blocksOf('docs/providers/keycloak.md').find(({ text }) =>
    text.includes('keycloak_CLIENT_ID'),
  );
  const others = (provider?.text ?? '')
    .replace(/^use feature .*\nCREDMON_WEB_PREFIX = .*\n/m, '')
    .replace(/^(keycloak_CLIENT_SECRET_FILE = ).*$/m, '$1$ENV(HOME)/try/secret')
    .replace(/^(CREDMON_keycloak_ISSUER = ).*$/m, `$1${issuer}`);
  return own + others;
}

it('a token of the issuer on loopback is stored, and renewed before it is due', async () => {
  const [install = '', start = '', keyFile = '', look = '', ...more] = blocksToRun(PAGE, 'sh run');
  expect(more).toEqual([]);
  const go = (name: string): string => `until [ -e "$HOME/${name}" ]; do sleep 0.1; done\n`;
  const script = ['set -euo pipefail\n', install, go('configured'), start, keyFile];
  script.push(go('stored'), look, 'echo "no command failed"\n');
  shell = startProcess(
    'bash',
    ['-c', script.join('')],
    { PATH: process.env['PATH'] ?? '', HOME: home, LC_ALL: 'C.UTF-8' },
    { directory: checkout },
  );
  const [, issuer = ''] = await shell.printed(/^issuer: (\S+)$/m);
  writeFileSync(join(home, 'try/condor_config'), configuration(issuer));
  writeFileSync(join(home, 'configured'), '');

  const [, link = ''] = await shell.printed(/^(http:\/\/127\.0\.0\.1:8081\/key\/\w+)$/m);
  await shell.printed(/ serves \S+ on \S+,/);
  const browser = httpBrowser();
  const page = await browser.open(link);
  const [form] = page.forms.filter(({ action }) => new URL(action).pathname.includes('/login/'));
  if (!form) throw new Error(`no sign-in at ${link}: ${page.status}`);
  const stored = await confirmAccount(browser, await browser.submit(form));
  expect(stored.body).toContain('Signed in');
  writeFileSync(join(home, 'stored'), '');

  // The three programs still run, and keep the shell's output open.
  await shell.printed(/^no command failed$/m);
  expect(shell.output).toMatch(/ +keycloak +keycloak \(oauth\) +fresh /);
  expect(shell.output).toMatch(/^renewed \S+\/keycloak/m);
  expect(readFileSync(join(home, 'try/condor_config'), 'utf8')).not.toContain('example.org');
});
