// Makes a checkout ready to run with nothing but Node and npm: installs, compiles and
// bundles, each only when its inputs changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
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

/**
 * Seconds after which a command is taken to hang: a package registry that does not answer
 * must not hold a test run for ever.
 */
const PATIENCE = 240;

/**
 * Runs a command to its end, up to `attempts` times; the last failure ends this process.
 */
function run(attempts, command, ...args) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
    timeout: PATIENCE * 1000,
  });
  if (status === 0) return;
  console.error(
    `bootstrap: ${command} ${error ? `cannot be run: ${error.message}` : `failed with status ${status}`}`,
  );
  if (attempts <= 1) process.exit(status ?? 1);
  run(attempts - 1, command, ...args);
}

/**
 * Runs `work` unless the stamp `name` still equals the digest of `files` and every one of
 * `results` exists.
 */
function step(name, files, results, work) {
  const stamp = join(stampDirectory, name);
  const now = digest(files);
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === now;
  if (fresh && results.every((path) => existsSync(join(root, path)))) return;
  console.log(`bootstrap: ${name}`);
  work();
  mkdirSync(stampDirectory, { recursive: true });
  writeFileSync(stamp, now);
}

const packages = ['packages', 'test-fixtures', 'bench'].map((name) => join(root, name));
const manifests = packages.flatMap((path) =>
  filesBelow(path, (file) => file.endsWith('package.json')),
);
const workspace = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'].map((name) =>
  join(root, name),
);
step('install', [...workspace, ...manifests], ['node_modules/.pnpm'], () =>
  run(2, 'npx', '--yes', 'pnpm@12', 'install', '--frozen-lockfile', '--reporter=append-only'),
);

const isSource = (file) => file.includes('/src/') || file.endsWith('tsconfig.json');
const sources = [
  ...packages.flatMap((path) => filesBelow(path, isSource)),
  ...['tsconfig.base.json', 'tsconfig.json', 'pnpm-lock.yaml', 'scripts/bundle.mjs'].map((name) =>
    join(root, name),
  ),
];
step(
  'build',
  sources,
  ['packages/credmon/dist/bin/condor_credmon.cjs', 'bench/dist/run.js'],
  () => {
    run(1, process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b');
    run(1, process.execPath, join(root, 'scripts', 'bundle.mjs'));
  },
);
