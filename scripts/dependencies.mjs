// Lists the packages of this checkout: version, licence, size, whether the programs need it
// or only tests and tools; and which direct ones are outdated.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = `usage: npm run deps [-- --offline] [--programs] [--json]

  --offline   do not ask the registry which packages are outdated
  --programs  only what is bundled into the programs
  --json      the same as JSON`;
const FLAGS = ['--offline', '--programs', '--json'];

/** Returns the bytes of all files below a folder; packages inside are counted themselves. */
function sizeOf(folder) {
  return readdirSync(folder).reduce((sum, name) => {
    if (name === 'node_modules') return sum;
    const path = join(folder, name);
    const facts = lstatSync(path);
    return sum + (facts.isDirectory() ? sizeOf(path) : facts.size);
  }, 0);
}

/** Returns the folders of the packages in a node_modules, with scopes. */
function packageFolders(directory) {
  return readdirSync(directory).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(join(directory, name)).map((inner) => join(directory, name, inner))
      : name.startsWith('.')
        ? []
        : [join(directory, name)],
  );
}

/** What the bundles contain, as `name@version`. */
function bundled() {
  const found = new Set();
  for (const name of ['credmon', 'webserver', 'scitokens']) {
    const folder = join(root, 'packages', name, 'dist/bin');
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder).filter((one) => one.endsWith('.packages.json')))
      for (const path of JSON.parse(readFileSync(join(folder, file), 'utf8'))) {
        const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
        found.add(`${manifest.name}@${manifest.version}`);
      }
  }
  return found;
}

/** Old manifests have an object or a list in place of a text. */
function licenceOf({ license, licenses }) {
  const text = (one) => (typeof one === 'string' ? one : one?.type);
  return text(license) ?? licenses?.map(text).join(' OR ') ?? 'unknown';
}

/** Returns every installed package once, the largest first. */
function installed() {
  const store = join(root, 'node_modules/.pnpm');
  const inPrograms = bundled();
  const found = new Map();
  for (const entry of readdirSync(store)) {
    const inner = join(store, entry, 'node_modules');
    if (entry === 'node_modules' || !existsSync(inner)) continue;
    for (const folder of packageFolders(inner)) {
      if (lstatSync(folder).isSymbolicLink()) continue;
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const { name, version } = manifest;
      const id = `${name}@${version}`;
      const use = inPrograms.has(id) ? 'programs' : 'tools';
      found.set(id, { name, version, licence: licenceOf(manifest), bytes: sizeOf(folder), use });
    }
  }
  return [...found.values()].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/**
 * Returns the outdated direct dependencies by name: `{ current, latest }`, or `undefined`
 * if the registry does not answer.
 */
function outdated() {
  const words = ['--yes', 'pnpm@12', 'outdated', '--recursive', '--format', 'json'];
  const { stdout, status } = spawnSync('npx', words, {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // The exit code is 1 if something is outdated.
  if (status !== 0 && status !== 1) return undefined;
  try {
    return Object.entries(JSON.parse(stdout)).map(([name, { current, latest }]) => ({
      name,
      current,
      latest,
    }));
  } catch {
    return undefined;
  }
}

const kib = (bytes) => `${Math.ceil(bytes / 1024).toLocaleString('en-US')} KiB`;

function table(rows) {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]))
      .join('  ')
      .trimEnd(),
  );
}

function countedLicences(packages) {
  const counts = new Map();
  for (const { licence } of packages) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

function report(packages, old, isOffline) {
  const rows = packages.map(({ name, version, licence, bytes, use }) => [
    name,
    version,
    licence,
    kib(bytes),
    use,
  ]);
  console.log(table([['PACKAGE', 'VERSION', 'LICENCE', 'SIZE', 'USED BY'], ...rows]).join('\n'));
  const licences = countedLicences(packages).map(([name, count]) => `${name} ${count}`);
  const total = packages.reduce((sum, { bytes }) => sum + bytes, 0);
  console.log(`\n${packages.length} packages, ${kib(total)}; licences: ${licences.join(', ')}`);
  if (isOffline) console.log('outdated: not asked (--offline)');
  else if (old === undefined) console.log('outdated: unknown, the registry did not answer');
  else if (old.length === 0) console.log('outdated: none');
  else {
    const lines = old.map(({ name, current, latest }) => [name, current ?? '-', latest]);
    console.log(`\n${table([['OUTDATED', 'CURRENT', 'LATEST'], ...lines]).join('\n')}`);
  }
}

const words = process.argv.slice(2);
if (words.some((word) => !FLAGS.includes(word))) {
  console.error(USAGE);
  process.exit(2);
}
const isOffline = words.includes('--offline');
const packages = installed().filter(
  ({ use }) => use === 'programs' || !words.includes('--programs'),
);
const old = isOffline ? undefined : outdated();
if (words.includes('--json')) {
  const counts = Object.fromEntries(countedLicences(packages));
  console.log(JSON.stringify({ packages, licences: counts, outdated: old ?? null }, undefined, 2));
} else report(packages, old, isOffline);
