// The .deb in a clean Debian 13: install, check, a sign-in, an upgrade with live tokens,
// removal and purge; and beside HTCondor, whose programs it diverts.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  cpSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksToRun } from '../support/page-blocks.ts';
import { isRootMissing, cleanRoot, type CleanRoot } from './clean-root.ts';
import { run } from './commands.ts';
import { signInAndRenew, type SignIn } from './sign-in.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credmon-deb-'));
const deb = join(folder, 'credmon_0.1.0-1_all.deb');
const newer = join(folder, 'newer.deb');
/** Newer, with another example configuration: dpkg asks about a changed file. */
const changed = join(folder, 'changed.deb');
const EXAMPLE = '/etc/condor/config.d/60-credmon.conf';

beforeAll(async () => {
  await run(checkout, [process.execPath, 'scripts/package.mjs', '--deb', folder]);
  const unpacked = join(folder, 'unpacked');
  await run(folder, ['dpkg-deb', '-R', deb, unpacked]);
  const control = join(unpacked, 'DEBIAN/control');
  const text = readFileSync(control, 'utf8');
  writeFileSync(control, text.replace('Version: 0.1.0-1', 'Version: 0.1.0-2'));
  await run(folder, ['dpkg-deb', '-Znone', '--build', unpacked, newer]);
  writeFileSync(control, text.replace('Version: 0.1.0-1', 'Version: 0.1.0-3'));
  appendFileSync(join(unpacked, EXAMPLE), '# another example\n');
  await run(folder, ['dpkg-deb', '-Znone', '--build', unpacked, changed]);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(isRootMissing('debian13'))('the .deb in a clean Debian 13', () => {
  let root: CleanRoot;
  let life: SignIn;
  beforeAll(async () => {
    root = await cleanRoot('debian13');
    for (const path of [deb, newer]) cpSync(path, root.path(`/root/${path.split('/').at(-1)}`));
  });
  afterAll(async () => {
    await life?.end();
    root?.remove();
  });

  it('is installed with dpkg, and its programs, pages and user are there', async () => {
    await root.sh('dpkg -i /root/credmon_0.1.0-1_all.deb');
    expect(await root.sh('condor_credmon --version')).toBe('0.1.0\n');
    expect(await root.sh('scitokens --help')).toContain('scitokens token');
    expect(existsSync(root.path('/usr/share/man/man1/condor_credmon.1.gz'))).toBe(true);
    expect(await root.sh('stat -c %U:%a /var/lib/condor/credmon_web_sessions')).toBe(
      'condor:700\n',
    );
    expect(await root.sh('dpkg --verify credmon')).toBe('');
  });

  it('checks a configuration, signs a user in, and renews the token', async () => {
    life = await signInAndRenew(root, { user: 'alice', service: 'mytok' });
    expect(life.checked).toMatch(/^configuration\n {2}ok /);
    expect(life.renewals()).toBeGreaterThan(0);
  });

  it('is upgraded while tokens live: edits and tokens stay, and the new daemon renews', async () => {
    const conf = '/etc/condor/config.d/60-credmon.conf';
    await root.sh(`echo '# edited here' >> ${conf}`);
    const before = life.files();
    await root.sh('dpkg -i /root/newer.deb < /dev/null');
    expect(await root.sh(`tail -n 1 ${conf}`)).toBe('# edited here\n');
    expect(life.files()).toEqual(before);
    await life.restartDaemon();
    expect(await life.nextRenewal()).toBe(true);
  });

  it('is removed: programs are gone, tokens and the configuration stay', async () => {
    await life.stop();
    await root.sh('dpkg -r credmon');
    expect(existsSync(root.path('/usr/bin/condor_credmon'))).toBe(false);
    expect(existsSync(root.path('/usr/lib/credmon'))).toBe(false);
    expect(existsSync(root.path('/etc/condor/config.d/60-credmon.conf'))).toBe(true);
    expect(life.files()).toContain('mytok.use');
  });

  it('is purged: only the tokens stay', async () => {
    await root.sh('dpkg -P credmon');
    expect(existsSync(root.path('/etc/condor/config.d/60-credmon.conf'))).toBe(false);
    expect(existsSync(root.path('/var/lib/condor/credmon_web_sessions'))).toBe(false);
    expect(life.files()).toContain('mytok.use');
    expect(await root.sh('dpkg-divert --list "*condor_c*"')).toBe('');
  });
});

describe.skipIf(isRootMissing('pool'))('the .deb beside HTCondor', () => {
  let root: CleanRoot;
  const theirs = ['/usr/sbin/condor_credmon_oauth', '/usr/bin/condor_vault_storer'];
  beforeAll(async () => {
    root = await cleanRoot('pool');
    mkdirSync(root.path('/root'), { recursive: true });
    cpSync(deb, root.path(`/root/${basename(deb)}`));
    cpSync(newer, root.path('/root/newer.deb'));
    cpSync(changed, root.path('/root/changed.deb'));
  });
  afterAll(() => root?.remove());

  it('takes the place of its programs, also after an upgrade, and gives it back', async () => {
    const sums = `sha256sum ${theirs.join(' ')}`;
    const before = await root.sh(sums);
    const [install = '', ...more] = blocksToRun('docs/install.md', 'sh run deb');
    expect(more).toEqual([]);
    for (const command of [install, install.replace(basename(deb), 'newer.deb')]) {
      await root.sh(`cd /root\nyes | ${command}`);
      expect(await root.sh('/usr/sbin/condor_credmon_oauth --version')).toBe('0.1.0\n');
      expect(await root.sh('/usr/bin/condor_vault_storer --version')).toBe('0.1.0\n');
    }
    expect(await root.sh('dpkg --verify htcondor')).not.toContain('condor_vault_storer');
    await root.sh('dpkg -r credmon');
    expect(await root.sh(sums)).toBe(before);
    await root.sh('dpkg -P credmon');
    expect(await root.sh('getent passwd condor')).toContain('/var/lib/condor');
  });

  it('is upgraded without a terminal, and a changed configuration stays', async () => {
    const [upgrade = ''] = blocksToRun('docs/install.md', 'sh run upgrade');
    const command = `cd /root\n${upgrade.trim()} < /dev/null`;
    await root.sh(command);
    await root.sh(`echo '# ours' > ${EXAMPLE}`);
    await root.sh(command.replace(basename(deb), 'changed.deb'));
    expect(await root.sh(`dpkg-query -W -f '\${Version}' credmon`)).toBe('0.1.0-3');
    expect(await root.sh(`cat ${EXAMPLE}`)).toBe('# ours\n');
  });
});
