// The programs are built where nothing was built before, as in a fresh checkout, and
// installed over an installation that is in use.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { beforeAll, describe, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));
const node = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE * 1000 });

let output: string;
let build: ReturnType<typeof spawnSync>;
beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), 'credmon-built-'));
  build = node(join(scripts, 'bundle.mjs'), output);
});

it('are built into an empty directory', () => {
  expect(build).toMatchObject({ stderr: '', status: 0 });
  const program = join(output, 'packages/credmon/dist/bin/condor_credmon.cjs');
  expect(node(program, '--version')).toMatchObject({ stderr: '', status: 0 });
});

it.each([
  'credmon/dist/bin/condor_credmon.cjs',
  'credmon/dist/bin/condor_credential_storer.js',
  'credmon/dist/bin/condor_credmon_mytoken.cjs',
  'webserver/dist/bin/condor_credmon_webserver.js',
  'scitokens/dist/bin/scitokens.js',
  'scitokens/dist/bin/scitokens-admin-create-key.js',
  'scitokens/dist/bin/scitokens-admin-create-token.js',
  'scitokens/dist/bin/scitokens-verify-token.js',
])('print their help and exit with 0: %s', (program) => {
  expect(node(join(output, 'packages', program), '--help')).toMatchObject({
    stderr: '',
    status: 0,
  });
});

it('are installed by replacing each file, not its content', () => {
  const prefix = mkdtempSync(join(tmpdir(), 'credmon-installed-'));
  const library = join(prefix, 'lib/credmon');
  mkdirSync(join(library, 'views'), { recursive: true });
  const files = ['condor_credmon.cjs', 'scitokens.js', 'views/layout.eta', 'package.json'];
  for (const file of files) {
    writeFileSync(join(library, file), 'old');
    linkSync(join(library, file), `${join(library, file)}.kept`);
  }
  expect(node(join(scripts, 'install.mjs'), prefix, output)).toMatchObject({
    stderr: '',
    status: 0,
  });
  for (const file of files) {
    expect(readFileSync(join(library, `${file}.kept`), 'utf8')).toBe('old');
    expect(readFileSync(join(library, file), 'utf8')).not.toBe('old');
  }
  expect(lstatSync(join(prefix, 'bin/condor_credmon_oauth')).isSymbolicLink()).toBe(true);
  const left = [library, join(library, 'views'), join(prefix, 'bin')].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith('new')),
  );
  expect(left).toEqual([]);
});

describe('install-to', () => {
  const install = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
    node(join(scripts, 'install.mjs'), ...args);

  it.each([
    [[], 'missing PREFIX'],
    [['local'], 'PREFIX must be an absolute path: local'],
    [['--prefix', '/opt/x'], 'unknown option --prefix'],
    [['/opt/x', '--force'], 'unknown option --force'],
  ])('rejects %j', (args, mistake) => {
    const { status, stderr, stdout } = install(...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(String(stderr)).toContain(`install-to: ${mistake}\n\nusage: `);
  });

  it('prints every path that it writes, and --uninstall removes each of them', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    writeFileSync(join(prefix, 'mine'), '');
    const paths = String(install(prefix, output).stdout).trim().split('\n');
    const there = readdirSync(prefix, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && !entry.parentPath.includes('/cache'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect([...there].sort()).toEqual([join(prefix, 'mine'), ...paths].sort());
    expect(String(install('--uninstall', prefix).stdout).trim().split('\n')).toEqual(
      paths.map((path) => `removed ${path}`),
    );
    expect(readdirSync(prefix)).toEqual(['mine']);
    expect(install('--uninstall', prefix).status).toBe(1);
  });

  it('never touches a file whose name is like that of a temporary file, and removes what a killed one left', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    const bin = join(prefix, 'bin');
    mkdirSync(bin);
    const gone = spawnSync('true').pid;
    const mine = ['scitokens.new', '.scitokens.new', `.other.${gone}.credmon`].sort();
    for (const name of mine) writeFileSync(join(bin, name), 'mine');
    writeFileSync(join(bin, `.scitokens.${gone}.credmon-new`), 'left');
    writeFileSync(join(bin, `.scitokens.${process.pid}.credmon-new`), 'of another run');
    expect(install(prefix, output).status).toBe(0);
    const ours = `.scitokens.${process.pid}.credmon-new`;
    expect(readdirSync(bin).filter((name) => !name.match(/^(?:condor_|scitokens(?:-|$))/))).toEqual(
      [...mine, ours].sort(),
    );
    expect(mine.map((name) => readFileSync(join(bin, name), 'utf8'))).toEqual(
      mine.map(() => 'mine'),
    );
    install('--uninstall', prefix);
    expect(readdirSync(bin)).toEqual([...mine, ours].sort());
  });

  it('makes directories that other users can read, whatever the umask', () => {
    const prefix = join(mkdtempSync(join(tmpdir(), 'credmon-prefix-')), 'new');
    const script = join(scripts, 'install.mjs');
    const command = `umask 077; exec '${process.execPath}' '${script}' '${prefix}' '${output}'`;
    expect(spawnSync('sh', ['-c', command], { timeout: PATIENCE * 1000 }).status).toBe(0);
    const closed = readdirSync(prefix, { recursive: true, encoding: 'utf8' })
      .filter((name) => (lstatSync(join(prefix, name)).mode & 0o004) === 0)
      .filter((name) => !name.startsWith('lib/credmon/cache'));
    expect([closed, lstatSync(prefix).mode & 0o777]).toEqual([[], 0o755]);
  });

  it('a file that cannot be written leaves the version before as it was', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    install(prefix, output);
    const program = join(prefix, 'lib/credmon/condor_credmon.cjs');
    writeFileSync(program, 'the version before');
    const list = join(prefix, 'share/credmon/installed-files');
    const mine = join(prefix, 'bin/scitokens');
    rmSync(mine);
    mkdirSync(mine);
    const before = readFileSync(list, 'utf8');
    const { status, stderr } = install(prefix, output);
    expect([status, stderr]).toEqual([
      1,
      `install-to: cannot replace ${mine}: it is a directory\n`,
    ]);
    expect([readFileSync(program, 'utf8'), readFileSync(list, 'utf8')]).toEqual([
      'the version before',
      before,
    ]);
    expect(readdirSync(join(prefix, 'bin')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('keeps the compiled code of the daemon and of short commands', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    install(prefix, output);
    const kept = readdirSync(join(prefix, 'lib/credmon/cache')).map(
      (name) => name.split(`-${process.arch}-`)[1]?.split(/[.-]/, 1)[0],
    );
    const expected = ['main', 'daemon', 'winston', 'status', 'usable', 'config'];
    expect(kept).toEqual(expect.arrayContaining(expected));
  });

  it('--uninstall keeps a directory that has the name of a file, and removes the rest at the next time', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    install(prefix, output);
    const mine = join(prefix, 'bin/scitokens');
    rmSync(mine);
    mkdirSync(mine);
    writeFileSync(join(mine, 'file'), '');
    const { status, stderr } = install('--uninstall', prefix);
    expect([status, stderr]).toEqual([1, `install-to: cannot remove ${mine} (EISDIR)\n`]);
    const list = join(prefix, 'share/credmon/installed-files');
    const left = readdirSync(prefix, { recursive: true, withFileTypes: true });
    expect(
      left
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    ).toEqual([join(mine, 'file'), list]);
    rmSync(mine, { recursive: true });
    expect(install('--uninstall', prefix).status).toBe(0);
    expect(readdirSync(prefix)).toEqual([]);
  });

  it('--uninstall removes what is installed below /', () => {
    const destination = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    const inPlace = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [join(scripts, 'install.mjs'), ...args], {
        encoding: 'utf8',
        env: { ...process.env, DESTDIR: destination },
      });
    expect(inPlace('/', output).status).toBe(0);
    expect(inPlace('--uninstall', '/').status).toBe(0);
    expect(readdirSync(destination)).toEqual([]);
  });

  it('removes what the version before had and this one has not', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    install(prefix, output);
    const old = join(prefix, 'share/credmon/old');
    const list = join(prefix, 'share/credmon/installed-files');
    writeFileSync(old, '');
    writeFileSync(list, `${readFileSync(list, 'utf8')}${old}\n/etc/hostname\n`);
    install(prefix, output);
    expect([existsSync(old), existsSync('/etc/hostname')]).toEqual([false, true]);
  });

  it('writes the paths of this installation into units, configuration and pages', () => {
    const prefix = mkdtempSync(join(tmpdir(), 'credmon-prefix-'));
    install(prefix, output);
    const read = (path: string): string => readFileSync(join(prefix, path), 'utf8');
    const unit = read('lib/systemd/system/condor_credmon_webserver.service');
    expect(unit).toContain(`ExecStart=${prefix}/bin/condor_credmon_webserver `);
    const conf = read('share/credmon/configs/condor/60-credmon.conf');
    expect(conf).toContain(`CREDMON_OAUTH = ${prefix}/bin/condor_credmon\n`);
    expect(read('share/doc/credmon/docs/vault.md')).toContain(
      `SEC_CREDENTIAL_STORER = ${prefix}/bin/condor_credential_storer`,
    );
    expect(read('share/doc/credmon/THIRD-PARTY-LICENSES')).toContain('yargs 18.2.0 (MIT)');
    expect(read('share/doc/credmon/configs/condor/60-credmon.conf')).toBe(conf);
  });
});
