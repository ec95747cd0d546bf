// Installs, compiles and bundles, each only when its inputs changed. The demo and the
// installation need only the programs, not the tools of tests and linting.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packagesToInstall } from './downloads.mjs';
import { showSteps } from './progress.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const stampDirectory = join(root, 'node_modules', '.cache', 'credmon');

/** Every file below `directory` that `wanted` accepts, in a stable order. */
function filesBelow(directory, wanted) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name === 'node_modules' || entry.name === 'dist') return [];
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(path, wanted) : wanted(path) ? [path] : [];
    });
}

function digest(files) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files)
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

const inRoot = (names) => names.map((name) => join(root, name));
const packages = inRoot(['packages', 'test-fixtures', 'bench']);
const lockFile = join(root, 'pnpm-lock.yaml');
const manifests = [
  ...inRoot(['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml']),
  ...packages.flatMap((path) => filesBelow(path, (file) => file.endsWith('package.json'))),
];
const isSource = (file) => file.includes('/src/') || file.endsWith('tsconfig.json');
const sources = () => [
  ...packages.flatMap((path) => filesBelow(path, isSource)),
  ...inRoot(['tsconfig.base.json', 'tsconfig.json', 'pnpm-lock.yaml', 'scripts/bundle.mjs']),
];

const stampOf = (name) => join(stampDirectory, name);
const isFresh = (name, now) =>
  existsSync(stampOf(name)) && readFileSync(stampOf(name), 'utf8') === now;

/**
 * Runs `work` unless one of the stamps `names` equals the digest of `files` and every one
 * of `results` exists. The first stamp is then written.
 */
async function step(names, files, results, work) {
  const now = digest(files);
  const isDone = names.some((name) => isFresh(name, now));
  if (isDone && results.every((path) => existsSync(join(root, path)))) return;
  await work();
  mkdirSync(stampDirectory, { recursive: true });
  writeFileSync(stampOf(names[0]), now);
}

/** Measured: what npm, pnpm and the packages take on the disk, in megabytes. */
const MEGABYTES = { programs: 300, all: 520 };

/** Says what will be downloaded, from where, and where it stays. */
function announce(level, count) {
  const { stdout } = spawnSync('npm', ['config', 'get', 'registry'], {
    cwd: root,
    encoding: 'utf8',
  });
  const registry = stdout?.trim() || 'the npm registry';
  const tools = level === 'programs' ? '' : ', with the tools for tests';
  console.log(
    `bootstrap: needs ${count} npm packages (about ${MEGABYTES[level]} MB on disk${tools}); ` +
      `downloads from ${registry} what is not cached. They stay in node_modules and in the caches of npm and pnpm.`,
  );
}

/**
 * Prepares the checkout. `programs`: what the demo and the installation need; `all`: also
 * the tools and compiled files for tests.
 * @throws Error if a command fails; its messages are printed before
 */
export async function prepare(wanted) {
  // An installation with tools stays one: to remove them for a demo would waste them.
  const level = existsSync(stampOf('install')) ? 'all' : wanted;
  const isAll = level === 'all';
  const run = showSteps(root, process.stdout);
  await step(
    isAll ? ['install'] : ['install-programs'],
    manifests,
    ['node_modules/.pnpm'],
    async () => {
      const count = packagesToInstall(readFileSync(lockFile, 'utf8'), { withTools: isAll });
      announce(level, count);
      const words = ['--yes', 'pnpm@12', 'install', '--frozen-lockfile', '--reporter=ndjson'];
      const task = { doing: 'installing packages', done: 'installed the packages', count };
      const command = ['npx', ...words, '--config.confirmModulesPurge=false'];
      await run({ ...task, attempts: 2, command: isAll ? command : [...command, '--prod'] });
    },
  );
  const bundle = [process.execPath, join(root, 'scripts', 'bundle.mjs')];
  const program = 'packages/credmon/dist/bin/condor_credmon.cjs';
  if (wanted === 'programs')
    await step(
      ['build-programs', 'build'],
      sources(),
      [program, 'test-fixtures/dist/demo.js'],
      () => run({ doing: 'building the programs', done: 'built the programs', command: bundle }),
    );
  else
    await step(['build'], sources(), [program, 'bench/dist/run.js'], async () => {
      const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const compile = [process.execPath, compiler, '-b'];
      await run({ doing: 'compiling', done: 'compiled the packages', command: compile });
      await run({ doing: 'building the programs', done: 'built the programs', command: bundle });
    });
}
