// What the packages do as root when they are installed, without systemd: a link that HTCondor's
// user has made leads them nowhere.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const scripts = new URL('../../scripts/packaging/distributions.mjs', import.meta.url);

/** Runs the script below `root`, as the present user. */
function create(root: string): ReturnType<typeof spawnSync> {
  const print = `import { CREATE } from ${JSON.stringify(scripts)}; process.stdout.write(CREATE)`;
  const text = spawnSync(process.execPath, ['--input-type=module', '-e', print], {
    encoding: 'utf8',
  }).stdout;
  const here = text.replaceAll('/var/lib/', `${root}/`).replaceAll('-o condor -g condor ', '');
  // Neither systemd-sysusers nor systemd-tmpfiles; the account exists.
  const tools = join(root, 'tools');
  mkdirSync(tools);
  const install = spawnSync('sh', ['-c', 'command -v install'], { encoding: 'utf8' }).stdout.trim();
  symlinkSync(install, join(tools, 'install'));
  symlinkSync('/bin/true', join(tools, 'getent'));
  return spawnSync('/bin/sh', ['-ec', here], { encoding: 'utf8', env: { PATH: tools } });
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

it('the directories are made with their modes', () => {
  const root = mkdtempSync(join(tmpdir(), 'credmon-maintainer-'));
  expect(create(root)).toMatchObject({ status: 0, stderr: '' });
  expect(
    ['condor', 'condor/credmon_web_sessions', 'condor_credmon'].map((name) =>
      modeOf(join(root, name)),
    ),
  ).toEqual([0o755, 0o700, 0o755]);
});

it('a link in the place of the sessions does not change the mode and owner of its target', () => {
  const root = mkdtempSync(join(tmpdir(), 'credmon-maintainer-'));
  for (const name of ['condor', 'target']) mkdirSync(join(root, name), { mode: 0o755 });
  symlinkSync(join(root, 'target'), join(root, 'condor/credmon_web_sessions'));
  create(root);
  expect(modeOf(join(root, 'target'))).toBe(0o755);
});
