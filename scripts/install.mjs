// Copies the bundled executables below a prefix, so that they stand in PATH and need
// nothing of this checkout.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const prefix = process.argv[2];
/** Where the programs were built: a test gives a directory of its own. */
const built = process.argv[3] ?? root;
if (prefix === undefined || process.argv.length > 4) {
  console.error('usage: npm run install-to -- PREFIX     (for example /usr/local)');
  process.exit(2);
}

/** Which bundle gets which names in PREFIX/bin. */
const programs = [
  ['credmon', 'condor_credmon.cjs', ['condor_credmon', 'condor_credmon_oauth']],
  ['credmon', 'condor_credential_storer.js', ['condor_credential_storer', 'condor_vault_storer']],
  ['credmon', 'condor_credmon_mytoken.cjs', ['condor_credmon_mytoken']],
  ['webserver', 'condor_credmon_webserver.js', ['condor_credmon_webserver']],
  ['scitokens', 'scitokens.js', ['scitokens']],
  ...['scitokens-admin-create-key', 'scitokens-admin-create-token', 'scitokens-verify-token'].map(
    (name) => ['scitokens', `${name}.js`, [name]],
  ),
];

/**
 * Puts a new file in place at once: a program that starts meanwhile reads the old file or the
 * new one, and another name of the old file keeps it.
 */
function install(path, write) {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  write(temporary);
  renameSync(temporary, path);
}

const library = join(resolve(prefix), 'lib', 'credmon');
const bin = join(resolve(prefix), 'bin');
mkdirSync(library, { recursive: true });
mkdirSync(bin, { recursive: true });
// Node reads a .js file as a module only where a manifest says so.
install(join(library, 'package.json'), (path) => writeFileSync(path, '{"type":"module"}\n'));
for (const [folder, file, names] of programs) {
  const from = join(built, 'packages', folder, 'dist', 'bin');
  const to = join(library, file);
  install(to, (path) => {
    cpSync(join(from, file), path);
    chmodSync(path, 0o755);
  });
  for (const name of names)
    install(join(bin, name), (path) => symlinkSync(relative(bin, to), path));
  console.log(join(bin, names[0]));
}
const views = join(built, 'packages/webserver/dist/bin/views');
mkdirSync(join(library, 'views'), { recursive: true });
for (const file of readdirSync(views))
  install(join(library, 'views', file), (path) => cpSync(join(views, file), path));

// The compiled code of the parts that every command uses is kept from now on, for the
// Node.js that runs this; the first start as the owner keeps that of another Node.js.
for (const words of [
  ['--version'],
  ['status', '--help'],
  ['usable', 'root', 'x'],
  ['config', 'get', 'LOG'],
])
  spawnSync(process.execPath, [join(library, 'condor_credmon.cjs'), ...words], { stdio: 'ignore' });
