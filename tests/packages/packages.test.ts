// The .deb, the .rpm and the bill of materials, as files.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { blocksToRun } from '../support/page-blocks.ts';
import { run } from './commands.ts';
import { cycloneDxMistakes } from './cyclonedx.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'credmon-packages-'));
const deb = join(folder, 'credmon_0.1.0-1_all.deb');
const rpm = join(folder, 'credmon-0.1.0-1.noarch.rpm');
const digest = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex');

/** Files that a person reads, of both packages. */
const DOCUMENTS = [
  '/usr/share/doc/credmon/THIRD-PARTY-LICENSES',
  '/usr/share/doc/credmon/credmon.cdx.json',
  '/usr/share/doc/credmon/docs/admin-guide.md',
  '/usr/share/man/man1/condor_credmon.1.gz',
  '/usr/share/bash-completion/completions/condor_credmon',
  '/usr/share/fish/vendor_completions.d/condor_credmon.fish',
  '/usr/share/credmon/configs/nginx/condor_credmon_web.conf',
  '/usr/share/credmon/configs/apache/condor_credmon_web.conf',
  '/usr/lib/systemd/system/condor_credmon.service',
  '/usr/lib/systemd/system/condor_credmon_webserver.service',
  '/usr/lib/systemd/system/condor_credmon_webserver.socket',
  '/usr/lib/sysusers.d/credmon.conf',
  '/usr/lib/tmpfiles.d/credmon.conf',
  '/etc/condor/config.d/60-credmon.conf',
];

afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(isMissing('rpmbuild', 'lintian', 'systemd-analyze'))('the packages', () => {
  beforeAll(async () => {
    // The commands of docs/install.md, with directories of this test.
    const [all = '', deb = ''] = blocksToRun('docs/install.md', 'sh run package')
      .join('')
      .split('\n');
    await run(root, ['sh', '-ec', all.replace('npm run package', `$& -- ${folder}`)]);
    await run(root, ['sh', '-ec', deb.replace('/tmp/out', join(folder, 'only'))]);
  });

  it('are three files, or with --deb only the .deb, of the same bytes', () => {
    const files = (path: string): string[] => readdirSync(path).filter((name) => name !== 'only');
    expect(files(folder)).toEqual(
      [rpm, 'credmon-0.1.0.cdx.json', deb].map((path) => basename(path)),
    );
    expect(files(join(folder, 'only'))).toEqual([basename(deb)]);
    expect(digest(join(folder, 'only', basename(deb)))).toBe(digest(deb));
  });

  it('are the same bytes when they are built again', async () => {
    const again = join(folder, 'again');
    await run(root, [process.execPath, 'scripts/package.mjs', again]);
    const names = readdirSync(again);
    expect(names).toHaveLength(3);
    for (const name of names) expect(digest(join(again, name))).toBe(digest(join(folder, name)));
  });

  it('have no fault that lintian finds, but for the listed overrides', async () => {
    const words = ['lintian', '--allow-root', '--fail-on', 'error,warning', deb];
    expect(await run(folder, words)).not.toMatch(/^[EW]:/m);
  });

  it('for Debian has documents, Debian paths and a configuration that changes nothing', async () => {
    const list = await run(folder, ['dpkg-deb', '--fsys-tarfile', deb]).then(() =>
      run(folder, ['dpkg-deb', '--contents', deb]),
    );
    for (const path of [
      ...DOCUMENTS,
      '/usr/sbin/condor_credmon_oauth',
      '/usr/bin/condor_vault_storer',
    ])
      expect(list).toContain(` .${path}`);
    const unpacked = join(folder, 'deb');
    await run(folder, ['dpkg-deb', '-x', deb, unpacked]);
    const text = (path: string): string => readFileSync(join(unpacked, path), 'utf8');
    const socket = text('usr/lib/systemd/system/condor_credmon_webserver.socket');
    expect(socket).toContain('SocketGroup=www-data');
    const apache = text('usr/share/credmon/configs/apache/condor_credmon_web.conf');
    expect(apache).toContain('Define CREDMON_WEB_LOG_DIR /var/log/apache2\n');
    expect(apache).not.toMatch(/httpd|\/etc\/pki/);
    expect(text('usr/share/credmon/configs/nginx/condor_credmon_web.conf')).not.toContain(
      '/etc/pki',
    );
    const conf = text('etc/condor/config.d/60-credmon.conf');
    expect(conf).toContain('#CREDMON_OAUTH = /usr/bin/condor_credmon\n');
    expect(conf.split('\n').filter((line) => !/^(?:#.*)?$/.test(line))).toEqual([]);
  });

  it('has units, users and directories that systemd accepts', async () => {
    const unpacked = join(folder, 'users');
    await run(folder, ['dpkg-deb', '-x', deb, unpacked]);
    const units = join(unpacked, 'usr/lib/systemd/system');
    const paths = readdirSync(units).map((name) => join(units, name));
    for (const path of paths)
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(/ExecStart=\S+/, 'ExecStart=/bin/true'),
      );
    const verify = 'systemd-analyze verify --man=no "$@" 2>&1';
    expect(await run(folder, ['sh', '-c', verify, 'sh', ...paths])).toBe('');
    await run(folder, ['systemd-sysusers', `--root=${unpacked}`]);
    await run(folder, ['systemd-tmpfiles', '--create', `--root=${unpacked}`]);
    const modes = ['stat', '-c', '%a', 'credmon_web_sessions', '../condor_credmon'];
    expect(await run(join(unpacked, 'var/lib/condor'), modes)).toBe('700\n755\n');
    expect(readFileSync(join(unpacked, 'etc/passwd'), 'utf8')).toContain(':/var/lib/condor:');
  });

  it('for Red Hat has documents, Red Hat paths and alternatives', async () => {
    const list = await run(folder, ['rpm', '-qpl', rpm]);
    for (const path of [...DOCUMENTS, '/usr/share/zsh/site-functions/_condor_credmon'])
      expect(list.split('\n')).toContain(path);
    for (const path of ['/usr/sbin/condor_credmon_oauth', '/usr/bin/condor_vault_storer'])
      expect(list.split('\n')).not.toContain(path);
    expect(await run(folder, ['rpm', '-qpc', rpm])).toBe('/etc/condor/config.d/60-credmon.conf\n');
    const scripts = await run(folder, ['rpm', '-qp', '--scripts', rpm]);
    for (const path of [
      '/usr/sbin/condor_credmon_oauth',
      '/usr/bin/condor_credential_storer',
      '/usr/bin/condor_vault_storer',
    ])
      expect(scripts).toContain(`update-alternatives --install ${path} `);
    const archive = await run(folder, ['rpm2archive', '-n', rpm]).then(() => `${rpm}.tar`);
    const apache = 'usr/share/credmon/configs/apache/condor_credmon_web.conf';
    expect(await run(folder, ['tar', '-xOf', archive, `./${apache}`])).toContain(
      'Define CREDMON_WEB_LOG_DIR /var/log/httpd\n',
    );
    const vault = './usr/share/doc/credmon/docs/vault.md';
    expect(await run(folder, ['tar', '-xOf', archive, vault])).toContain(
      'SEC_CREDENTIAL_STORER = /usr/lib/credmon/bin/condor_credential_storer',
    );
  });

  it('name every bundled package in the bill of materials and among the licences', async () => {
    const bom = JSON.parse(readFileSync(join(folder, 'credmon-0.1.0.cdx.json'), 'utf8')) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly purl: string }[];
    };
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(cycloneDxMistakes(bom)).toEqual([]);
    expect(cycloneDxMistakes({ ...bom, components: [{ type: 'library' }] })).not.toEqual([]);
    const licences = readFileSync(
      join(folder, 'deb/usr/share/doc/credmon/THIRD-PARTY-LICENSES'),
      'utf8',
    );
    expect(bom.components.length).toBeGreaterThan(50);
    for (const { purl } of bom.components) {
      const [name = '', version] = purl.slice('pkg:npm/'.length).replace('%40', '\0').split('@');
      expect(licences).toContain(`\n${name.replace('\0', '@')} ${version} (`);
    }
  });
});
