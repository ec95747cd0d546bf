// Builds the documentation site into site/dist: the pages of docs/, the commands, the
// libraries. A link to a page or a section that does not exist fails the build.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describePrograms } from './packaging/commands.mjs';
import { brokenReferences } from './site/built-links.mjs';
import { commandPage } from './site/command-page.mjs';
import { collectPages, correctCounters, write } from './site/pages.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const site = join(root, 'site');
const pages = join(site, 'pages');
const started = performance.now();

/** Seconds after which a step is taken to hang. */
const PATIENCE = 300;

function progress(what) {
  console.log(`docs: ${what} (${((performance.now() - started) / 1000).toFixed(0)} s)`);
}

/** Runs a command to its end; its output is shown only if it fails. */
function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: site,
    encoding: 'utf8',
    env: { ...process.env, NPM_CONFIG_UPDATE_NOTIFIER: 'false', NO_COLOR: '1' },
    timeout: PATIENCE * 1000,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  console.error(`docs: ${command} ${args[0]} failed: ${error?.message ?? `status ${status}`}`);
  process.exit(1);
}

/** Installs what only the site needs, when the lock file has changed. */
function install() {
  const stamp = join(site, 'node_modules/.credmon-lock');
  const wanted = readFileSync(join(site, 'pnpm-lock.yaml'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  progress('install VitePress and TypeDoc');
  run('npx', ['--yes', 'pnpm@12', 'install', '--frozen-lockfile', '--reporter=append-only']);
  writeFileSync(stamp, wanted);
}

install();
rmSync(pages, { recursive: true, force: true });
const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
progress('collect pages');
collectPages(root, pages, repository.url.replace(/^git\+|\.git$/g, ''));
write(join(pages, 'reference/commands.md'), commandPage(await describePrograms(root)));
progress('describe the libraries');
for (const name of ['core', 'scitokens']) {
  run(process.execPath, ['node_modules/typedoc/bin/typedoc', '--options', `typedoc.${name}.json`]);
  correctCounters(join(pages, 'api', name));
}
progress('build');
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build', '.']);
const broken = brokenReferences(join(site, 'dist'));
for (const one of broken) console.error(`docs: ${one}`);
if (broken.length > 0) process.exit(1);
progress('done: site/dist');
