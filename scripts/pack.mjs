// Makes the npm tarballs of the four packages in dist/npm: only modules that the exports
// reach, no source maps, exact versions of what is imported, licences of what is bundled.
// The same sources give the same bytes.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { bundledPackages, licenceText } from './packaging/licences.mjs';
import { partFilesOf } from './packaging/layout.mjs';
import { foreignPackages, reachedModules } from './packaging/modules.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = resolve(process.argv[2] ?? join(root, 'dist', 'npm'));
if (process.argv.length > 3 || process.argv[2]?.startsWith('-')) {
  console.error('usage: npm run pack [-- DIRECTORY]     (default: dist/npm)');
  process.exit(2);
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const { repository } = readJson(join(root, 'package.json'));
const { catalog } = parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'));
const manifestOf = (name) => readJson(join(root, 'packages', name, 'package.json'));

/**
 * scitokens carries what it uses of core, so that a program with it installs one more
 * package instead of fifty.
 */
const carried = (name) =>
  name === 'scitokens'
    ? (specifier) =>
        specifier.startsWith('@credmon/core/')
          ? {
              source: join(root, 'packages/core/dist', specifier.slice(14), 'index.js'),
              from: join(root, 'packages/core/dist'),
              to: 'dist/core',
            }
          : undefined
    : () => undefined;

/** The exact version of a dependency, as the workspace resolves it. */
function versionOf(name, dependencies) {
  const asked = dependencies[name];
  if (asked === undefined) throw new Error(`${name} is imported, but not a dependency`);
  if (asked.startsWith('workspace:')) return manifestOf(name.split('/')[1]).version;
  return asked === 'catalog:' ? `^${catalog[name]}` : asked;
}

function publishedManifest(name, modules) {
  const { publishConfig, dependencies, ...manifest } = manifestOf(name);
  delete manifest.devDependencies;
  const known = { ...manifestOf('core').dependencies, ...dependencies };
  const used = foreignPackages(modules);
  return {
    ...manifest,
    repository: { ...repository, directory: `packages/${name}` },
    homepage: `${repository.url.replace(/^git\+|\.git$/g, '')}#readme`,
    bugs: `${repository.url.replace(/^git\+|\.git$/g, '')}/issues`,
    files: ['dist', 'THIRD-PARTY-LICENSES', ...(name === 'webserver' ? ['src/views'] : [])],
    exports: publishConfig.exports,
    dependencies: Object.fromEntries(used.map((one) => [one, versionOf(one, known)])),
  };
}

/** Links in a README lead out of the tarball: they become addresses in the repository. */
function readmeOf(name) {
  const base = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main`;
  return readFileSync(join(root, 'packages', name, 'README.md'), 'utf8').replaceAll(
    /\]\(\.\.\/\.\.\//g,
    `](${base}/`,
  );
}

/** Writes what the tarball holds into `folder`. */
function stage(name, folder) {
  const source = join(root, 'packages', name);
  const { publishConfig, bin = {} } = manifestOf(name);
  const entries = Object.values(publishConfig.exports).map((one) => one.default);
  const modules = reachedModules(source, entries, carried(name));
  const write = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, text] of modules) write(path, text);
  const bundles = [...new Set(Object.values(bin))];
  for (const path of bundles) {
    write(path, readFileSync(join(source, path), 'utf8').replace(/\n\/\/# sourceMap.*\s*$/, '\n'));
    chmodSync(join(folder, path), 0o755);
    for (const part of partFilesOf(join(source, path)))
      cpSync(join(source, dirname(path), part), join(folder, dirname(path), part));
  }
  if (name === 'webserver') {
    cpSync(join(source, 'src/views'), join(folder, 'src/views'), { recursive: true });
    cpSync(join(source, 'src/views'), join(folder, 'dist/bin/views'), { recursive: true });
  }
  write('README.md', readmeOf(name));
  write('LICENSE', readFileSync(join(root, 'LICENSE'), 'utf8'));
  if (bundles.length > 0) {
    const packages = bundledPackages(
      root,
      bundles.map((path) => join(source, path)),
    );
    write('THIRD-PARTY-LICENSES', licenceText(packages));
  }
  write('package.json', `${JSON.stringify(publishedManifest(name, modules), undefined, 2)}\n`);
}

/** Packs a staged folder; npm gives every file the same time. */
function pack(folder) {
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', output, folder],
    { encoding: 'utf8', env: { ...process.env, NPM_CONFIG_UPDATE_NOTIFIER: 'false' } },
  );
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}${stdout}`);
  console.log(join(output, basename(stdout.trim())));
}

if (!existsSync(join(root, 'packages/credmon/dist/bin'))) {
  console.error('pack: not built; run: npm run build');
  process.exit(1);
}
mkdirSync(output, { recursive: true });
for (const file of readdirSync(output)) if (file.endsWith('.tgz')) rmSync(join(output, file));
const work = mkdtempSync(join(tmpdir(), 'credmon-pack-'));
try {
  for (const name of ['core', 'scitokens', 'credmon', 'webserver']) {
    stage(name, join(work, name));
    pack(join(work, name));
  }
} finally {
  rmSync(work, { recursive: true });
}
