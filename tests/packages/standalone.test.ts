// The executable that contains Node.js, in a Debian 12 that has none. EL 8 is not run: that its
// C library is new enough is read from the file.
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksToRun } from '../support/page-blocks.ts';
import { cleanRoot, isRootMissing, type CleanRoot } from './clean-root.ts';
import { run } from './commands.ts';
import { signInAndRenew, type SignIn } from './sign-in.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credmon-standalone-'));
/** Without the root directory, nothing is built: Node.js would be fetched for it. */
const cannotRun = process.arch !== 'x64' || isRootMissing('debian12');
const executable = join(folder, 'credmon-0.1.0-linux-x64');

/** The commands of docs/install.md: how it is built, and how it is installed. */
const [build = '', install = ''] = blocksToRun('docs/install.md', 'sh run standalone');

beforeAll(async () => {
  await run(checkout, ['sh', '-ec', `${build.trim()} ${folder}`]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the highest version with this prefix in the file's table of symbol versions. */
function highest(prefix: string): string | undefined {
  const text = readFileSync(executable, 'latin1');
  const versions = [...text.matchAll(new RegExp(`\\0${prefix}([0-9.]+)(?=\\0)`, 'g'))];
  return versions
    .map(([, version = '']) => version)
    .toSorted(byVersion)
    .at(-1);
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

describe.skipIf(cannotRun)('the standalone executable', () => {
  it('needs no newer libraries than EL 8 has', () => {
    const glibc = highest('GLIBC_');
    expect(glibc).toMatch(/^2\.\d/);
    expect(byVersion(glibc ?? '', '2.28')).toBeLessThanOrEqual(0);
    expect(byVersion(highest('GLIBCXX_') ?? '', '3.4.25')).toBeLessThanOrEqual(0);
  });

  it('comes with the licences of what it contains, Node.js too', () => {
    const text = readFileSync(`${executable}.LICENSES`, 'utf8');
    expect(text).toMatch(/^node 24\.\d+\.\d+ \(MIT\)$/m);
    expect(text).toMatch(/^yargs 18\.\d+\.\d+ \(MIT\)$/m);
    expect(readFileSync(`${executable}.cdx.json`, 'utf8')).toContain('"pkg:npm/node@24.');
  });

  it('is the same bytes when it is built again', async () => {
    const again = join(folder, 'again');
    await run(checkout, [process.execPath, 'scripts/package.mjs', '--standalone', again]);
    expect(readFileSync(join(again, basename(executable))).equals(readFileSync(executable))).toBe(
      true,
    );
  });

  it('says which programs it contains', async () => {
    const message = await run(folder, [executable], {}, 2);
    expect(message).toBe('');
    expect(await run(folder, [executable, 'condor_credmon', '--version'])).toBe('0.1.0\n');
  });
});

describe.skipIf(cannotRun)('the standalone executable in Debian 12', () => {
  let root: CleanRoot;
  let life: SignIn;
  beforeAll(async () => {
    root = await cleanRoot('debian12');
    cpSync(executable, root.path(`/root/${basename(executable)}`));
    await root.sh('useradd --system --user-group --home-dir /var/lib/condor --create-home condor');
  });
  afterAll(async () => {
    await life?.end();
    root?.remove();
  });

  it('runs without Node.js and makes links for its programs', async () => {
    expect(await root.sh(`! command -v node\ncd /root\n${install}`)).toContain(
      '/opt/credmon/bin/condor_credmon\n',
    );
    expect(await root.sh('/opt/credmon/bin/scitokens-admin-create-key --help')).toContain(
      'usage: ',
    );
  });

  it('checks a configuration, signs a user in, and renews the token', async () => {
    life = await signInAndRenew(root, {
      user: 'alice',
      service: 'mytok',
      programs: '/opt/credmon/bin',
    });
    expect(life.checked).toMatch(/^configuration\n {2}ok /);
    expect(life.renewals()).toBeGreaterThan(0);
  });

  it('is replaced while it runs, and the new one renews', async () => {
    cpSync(executable, root.path('/opt/credmon/credmon.new'));
    await root.sh('mv /opt/credmon/credmon.new /opt/credmon/credmon');
    const before = life.files();
    await life.restartDaemon();
    expect(await life.nextRenewal()).toBe(true);
    expect(life.files()).toEqual(before);
  });

  it('is removed with its directory, and the tokens stay', async () => {
    await life.stop();
    await root.sh('rm -r /opt/credmon');
    expect(life.files()).toContain('mytok.use');
  });
});
