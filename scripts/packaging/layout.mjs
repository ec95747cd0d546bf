// What an installation consists of: every file with its final path, for `install-to` and
// for the packages.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.mjs';
import { describePrograms } from './commands.mjs';
import { bundledPackages, licenceText } from './licences.mjs';
import { manualPage } from './manual.mjs';
import { byText } from './modules.mjs';

/** Which bundle has which names. */
export const PROGRAMS = [
  ['credmon', 'condor_credmon.cjs', ['condor_credmon', 'condor_credmon_oauth']],
  ['credmon', 'condor_credential_storer.js', ['condor_credential_storer', 'condor_vault_storer']],
  ['credmon', 'condor_credmon_mytoken.cjs', ['condor_credmon_mytoken']],
  ['webserver', 'condor_credmon_webserver.js', ['condor_credmon_webserver']],
  ['scitokens', 'scitokens.js', ['scitokens']],
  ...['scitokens-admin-create-key', 'scitokens-admin-create-token', 'scitokens-verify-token'].map(
    (name) => ['scitokens', `${name}.js`, [name]],
  ),
];

/** A path of one of our programs, as the documentation and configs/ write it. */
const OUR_PATH = /\/usr\/local\/bin\/((?:condor_cred|condor_vault_storer|scitokens)[\w-]*)/g;

/** The folder of a program; `named` has the folders of names that HTCondor's programs have. */
function folderOf(name, { bin, named = {} }) {
  return named[name] ?? bin;
}

/**
 * Where `install-to` puts what, below a prefix. `adapt` changes a file of configs/ for the
 * distribution.
 */
export function pathsBelow(prefix, adapt = (text) => text) {
  return {
    adapt,
    bin: join(prefix, 'bin'),
    lib: join(prefix, 'lib/credmon'),
    share: join(prefix, 'share/credmon'),
    doc: join(prefix, 'share/doc/credmon'),
    man: join(prefix, 'share/man'),
    bash: join(prefix, 'share/bash-completion/completions'),
    zsh: join(prefix, 'share/zsh/site-functions'),
    fish: join(prefix, 'share/fish/vendor_completions.d'),
    units: join(prefix, 'lib/systemd/system'),
  };
}

export function versionOf(root) {
  return JSON.parse(readFileSync(join(root, 'packages/credmon/package.json'), 'utf8')).version;
}

/** Seconds since the epoch that every made file gets: the same for the same sources. */
export function sourceDate(root) {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  const { stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], {
    cwd: root,
    encoding: 'utf8',
  });
  return Number(stdout?.trim()) || Math.floor(statSync(join(root, 'CHANGELOG.md')).mtimeMs / 1000);
}

/**
 * Returns the files of an installation, sorted: `{ path, content, mode }`, or `{ path,
 * target }` for a link. `built` is where the bundles are, `paths` as {@link pathsBelow}.
 */
export async function filesOf(root, built, paths) {
  const files = [...programFiles(built, paths), ...documents(root, paths)];
  const add = (path, content) => files.push({ path, content, mode: 0o644 });
  const date = new Date(sourceDate(root) * 1000).toISOString().slice(0, 10);
  for (const program of await describePrograms(root)) {
    const page = manualPage(program, { version: versionOf(root), date, docs: paths.doc });
    for (const name of namesOf(program.name)) {
      const named = renamed(program, name);
      const path = join(paths.man, 'man1', `${name}.1`);
      if (name === program.name) add(path, page);
      else files.push({ path, target: `${program.name}.1` });
      add(join(paths.bash, name), bashCompletion(named));
      add(join(paths.zsh, `_${name}`), zshCompletion(named));
      add(join(paths.fish, `${name}.fish`), fishCompletion(named));
    }
  }
  // The pages link to configs/.
  const configs = join(paths.doc, 'configs');
  files.push({ path: configs, target: relative(paths.doc, join(paths.share, 'configs')) });
  add(join(paths.doc, 'THIRD-PARTY-LICENSES'), licenceText(packagesIn(root, built)));
  return files.sort((a, b) => byText(a.path, b.path));
}

/** The packages in the bundles of all programs. */
export function packagesIn(root, built) {
  return bundledPackages(
    root,
    PROGRAMS.map(([folder, file]) => join(built, 'packages', folder, 'dist/bin', file)),
  );
}

/** All names of the program that has this one. */
function namesOf(name) {
  return PROGRAMS.find(([, , names]) => names.includes(name))?.[2] ?? [name];
}

/** The program under another of its names. */
function renamed(program, name) {
  const words = program.name.split(' ');
  const commands = program.commands.map((one) => renamed(one, name));
  return { ...program, commands, name: [name, ...words.slice(1)].join(' ') };
}

/**
 * The names of the files with a program's parts, beside it. Each has the hash of its content in
 * its name: a program finds its own also while it is replaced.
 */
export function partFilesOf(program) {
  const begin = `${basename(program).replace(/\.c?js$/, '')}.`;
  return readdirSync(dirname(program)).filter(
    (name) => name.startsWith(begin) && /^[0-9a-f]{16}\.parts$/.test(name.slice(begin.length)),
  );
}

function programFiles(built, paths) {
  const { lib } = paths;
  const files = [
    // Node reads a .js file as a module only where a manifest says so.
    { path: join(lib, 'package.json'), content: '{"type":"module"}\n', mode: 0o644 },
  ];
  for (const [folder, file, names] of PROGRAMS) {
    const program = join(built, 'packages', folder, 'dist/bin', file);
    for (const name of partFilesOf(program)) {
      const content = readFileSync(join(dirname(program), name));
      files.push({ path: join(lib, name), content, mode: 0o644 });
    }
    const text = readFileSync(program, 'latin1');
    const content = Buffer.from(text.replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n'), 'latin1');
    files.push({ path: join(lib, file), content, mode: 0o755 });
    for (const name of names) {
      const bin = folderOf(name, paths);
      files.push({ path: join(bin, name), target: relative(bin, join(lib, file)) });
    }
  }
  const views = join(built, 'packages/webserver/dist/bin/views');
  for (const file of readdirSync(views))
    files.push({
      path: join(lib, 'views', file),
      content: readFileSync(join(views, file)),
      mode: 0o644,
    });
  return files;
}

/** The documentation, configs/ and the units, with the paths of the programs. */
function documents(root, paths) {
  const pages = ['README.md', 'CHANGELOG.md', 'LICENSE', ...filesBelow(root, 'docs')];
  const configs = filesBelow(root, 'configs');
  const content = (file) => {
    const bytes = readFileSync(join(root, file));
    if (/\.(?:png|svg)$/.test(file)) return bytes;
    const text = bytes
      .toString('utf8')
      .replaceAll(OUR_PATH, (_, name) => `${folderOf(name, paths)}/${name}`);
    return file.startsWith('configs/') ? paths.adapt(text) : text;
  };
  return [
    ...pages.map((file) => [join(paths.doc, file), file]),
    ...configs.map((file) => [join(paths.share, file), file]),
    ...configs
      .filter((file) => dirname(file) === 'configs/systemd')
      .map((file) => [join(paths.units, basename(file)), file]),
  ].map(([path, file]) => ({
    path,
    content: content(file),
    mode: file.endsWith('.sh') ? 0o755 : 0o644,
  }));
}

export function filesBelow(root, folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort(byText);
}
