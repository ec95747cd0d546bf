// The .rpm, installed with rpm in Debian 13, which has update-alternatives, too: alternatives
// where HTCondor's programs are missing, and HTCondor's own where they are there. An EL is not
// run here.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { cleanRoot, isRootMissing, type CleanRoot } from './clean-root.ts';
import { run } from './commands.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credmon-rpm-'));
const file = join(folder, 'credmon-0.1.0-1.noarch.rpm');
const CONF = '/etc/condor/config.d/60-credmon.conf';

afterAll(() => rmSync(folder, { recursive: true }));

/** rpm works on the root directory from outside; dependencies are those of EL. */
function rpm(root: CleanRoot, ...words: readonly string[]): Promise<string> {
  return run('/', ['rpm', '--root', root.path('/'), '--nodeps', ...words]);
}

describe.skipIf(isMissing('rpmbuild') || isRootMissing('debian13') || isRootMissing('pool'))(
  'the .rpm',
  () => {
    const roots: CleanRoot[] = [];
    const unpack = async (kind: 'debian13' | 'pool'): Promise<CleanRoot> => {
      const root = await cleanRoot(kind);
      roots.push(root);
      return root;
    };
    beforeAll(async () => {
      await run(checkout, [process.execPath, 'scripts/package.mjs', '--rpm', folder]);
    });
    afterAll(() => {
      for (const root of roots) root.remove();
    });

    it('offers alternatives without HTCondor, and leaves nothing when it is removed', async () => {
      const root = await unpack('debian13');
      await rpm(root, '-i', file);
      expect(await root.sh('condor_credmon --version')).toBe('0.1.0\n');
      for (const name of ['/usr/sbin/condor_credmon_oauth', '/usr/bin/condor_vault_storer'])
        expect(await root.sh(`${name} --version`)).toBe('0.1.0\n');
      expect(await rpm(root, '-V', 'credmon')).toBe('');
      expect(await root.sh('stat -c %U /var/lib/condor/credmon_web_sessions')).toBe('condor\n');
      await rpm(root, '-e', 'credmon');
      for (const path of ['/usr/bin/condor_credmon', '/usr/lib/credmon', '/usr/share/credmon'])
        expect([path, existsSync(root.path(path))]).toEqual([path, false]);
      expect(await root.sh('find / -xdev -xtype l -name "condor_*"')).toBe('');
    });

    it("leaves HTCondor's own programs, and keeps an edited configuration", async () => {
      const root = await unpack('pool');
      const theirs = '/usr/sbin/condor_credmon_oauth';
      const before = readFileSync(root.path(theirs));
      await rpm(root, '-i', file);
      expect(readFileSync(root.path(theirs)).equals(before)).toBe(true);
      expect(await root.sh('/usr/lib/credmon/bin/condor_credmon_oauth --version')).toBe('0.1.0\n');
      await root.sh(`echo '# edited' >> ${CONF}`);
      await rpm(root, '-U', '--force', file);
      expect(await root.sh(`tail -n 1 ${CONF}`)).toBe('# edited\n');
      await rpm(root, '-e', 'credmon');
      expect(readFileSync(root.path(theirs)).equals(before)).toBe(true);
      expect(await root.sh(`tail -n 1 ${CONF}.rpmsave`)).toBe('# edited\n');
    });
  },
);
