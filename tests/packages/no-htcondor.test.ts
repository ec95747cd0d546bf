// "Hosts without HTCondor" of docs/install.md in a Debian with Node.js: the .deb, the
// configuration of docs/standing-tokens.md, and the commands of the page until the token is
// there. systemctl starts what the unit says.
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellOf } from '../pool/shell.ts';
import { blocksOf, blocksToRun } from '../support/page-blocks.ts';
import { cleanRoot, isRootMissing, type CleanRoot } from './clean-root.ts';
import { run } from './commands.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const INSTALL = 'docs/install.md';
const page = readFileSync(join(checkout, INSTALL), 'utf8');
const TOKEN = '/var/lib/gwms-frontend/tokens.d/ce1.scitoken';

/** The configuration of a page that has this line. */
function shown(page: string, line: string): string {
  const found = blocksOf(page).find(({ text }) => text.includes(line));
  if (!found) throw new Error(`${page} has no block with ${line}`);
  return found.text;
}

describe.skipIf(isRootMissing('debian13'))('a host without HTCondor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-alone-'));
  const deb = join(folder, 'credmon_0.1.0-1_all.deb');
  let root: CleanRoot;
  let machine: Namespace;
  const { write, must, typed } = shellOf(() => machine);

  beforeAll(async () => {
    await run(checkout, [process.execPath, 'scripts/package.mjs', '--deb', folder]);
    root = await cleanRoot('debian13');
    cpSync(deb, root.path(`/root/${basename(deb)}`));
    machine = await startNamespace(root.path('/'));
    cpSync('test-fixtures/pool/systemctl.sh', machine.path('/usr/local/sbin/systemctl'));
    chmodSync(machine.path('/usr/local/sbin/systemctl'), 0o755);
    await must('useradd --system --create-home --home-dir /var/lib/gwms-frontend frontend\n');
    await must(`install -d -o frontend ${TOKEN.replace(/\/[^/]*$/, '')}\n`);
  });
  afterAll(async () => {
    await machine?.remove();
    root?.remove();
    rmSync(folder, { recursive: true });
  });

  it('gets the package without HTCondor', async () => {
    const install = blocksToRun(INSTALL, 'sh run deb').join('');
    const words = /`(--no-install-recommends)`\s+to\s+`apt-get install`/.exec(page);
    const option = words?.[1] ?? 'the page names no option';
    await must(install.replace('apt-get install', `$& ${option}`));
    expect((await typed('command -v condor_master\n')).code).toBe(1);
  });

  it('renews a standing token', async () => {
    write('/etc/condor/condor_config', shown(INSTALL, 'LOCAL_CONFIG_DIR = '));
    write(
      '/etc/condor/config.d/70-standing.conf',
      shown('docs/standing-tokens.md', 'CREDMON_STANDING_ce1_PATH'),
    );
    const [keys = ''] = blocksToRun('docs/htcondor-ce.md', 'sh run');
    await must(keys.replaceAll(/\bfrontend-keys\b/g, '/etc/condor/frontend-keys'));
    const output = await must(blocksToRun(INSTALL, 'sh run alone').join(''));
    expect(output).not.toContain('ERROR');
    const look = `stat -c '%U %a' ${TOKEN}\n`;
    await waitUntil(async () => (await typed(look)).code === 0, { what: TOKEN, every: 0.5 });
    expect(await must(look)).toBe('frontend 600\n');
  });
});
