// Installs the programs below a prefix, with manual pages, completions, documentation and
// licences; they need nothing of this checkout. `--uninstall` removes what is installed.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  chmodSync,
  fchmodSync,
  lstatSync,
  mkdtempSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as rest } from 'node:timers/promises';
import { forDebian, isDebian } from './packaging/distributions.mjs';
import { filesOf, pathsBelow } from './packaging/layout.mjs';

const USAGE = `usage: npm run install-to -- [--uninstall] PREFIX

PREFIX is an absolute path, for example /usr/local. With DESTDIR in the environment, the files
are written below that directory; they still name PREFIX.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2);
const uninstalls = words[0] === '--uninstall';
if (uninstalls) words.shift();
/** `built`: where the programs were built; a test gives a directory of its own. */
const [prefix = '', built = root] = words;
const mistake = mistakeIn(words);
if (mistake) {
  console.error(`install-to: ${mistake}\n\n${USAGE}`);
  process.exit(2);
}

function mistakeIn(given) {
  const flag = given.find((word) => word.startsWith('-'));
  if (flag !== undefined) return `unknown option ${flag}`;
  if (given.length === 0) return 'missing PREFIX';
  if (given.length > 2) return `too many arguments: ${given.slice(1).join(' ')}`;
  if (!isAbsolute(prefix)) return `PREFIX must be an absolute path: ${prefix}`;
  return undefined;
}

const destination = process.env.DESTDIR ?? '';
const target = normalize(prefix).replace(/(.)\/$/, '$1');
const paths = pathsBelow(target, isDebian ? forDebian : undefined);
const onDisk = (path) => join(destination, path);
/** The beginning of every path that is installed. */
const below = target.endsWith('/') ? target : `${target}/`;
/** Lists what is installed, one path a line. */
const list = join(paths.share, 'installed-files');

// Other users run what is installed.
process.umask(0o022);
/** Milliseconds that a daemon may take to start, and to end. */
const START_LIMIT = 10_000;

if (uninstalls) uninstall();
else await install();

async function install() {
  const isPart = ({ path }) => path.endsWith('.parts');
  const all = await filesOf(root, built, paths);
  // A program that starts meanwhile needs the parts that belong to it.
  const files = [...all.filter(isPart), ...all.filter((file) => !isPart(file))];
  const before = installedFiles() ?? [];
  const now = [...files.map(({ path }) => path), list];
  putAll([...files, { path: list, content: `${now.join('\n')}\n`, mode: 0o644 }]);
  removeTemporaries(now);
  for (const path of before) if (!now.includes(path)) remove(path);
  await keepCompiledCode();
}

/**
 * Writes all files, then puts each in place at once: a program that starts meanwhile reads the
 * old file or the new one, and another name of the old file keeps it. If one cannot be written,
 * all old files are kept.
 */
function putAll(files) {
  const staged = [];
  try {
    for (const file of files) stage(file, staged);
    for (const { path, temporary } of staged) {
      renameSync(temporary, onDisk(path));
      console.log(path);
    }
  } catch (error) {
    for (const { temporary } of staged) rmSync(temporary, { force: true });
    console.error(`install-to: ${error.code === undefined ? error.stack : error.message}`);
    process.exit(1);
  }
}

/** Never writes to a file that exists: its name may be that of somebody else's file. */
function stage({ path, content, mode, target: to }, staged) {
  const final = onDisk(path);
  const temporary = join(dirname(final), `.${basename(final)}.${process.pid}.credmon-new`);
  mkdirSync(dirname(final), { recursive: true });
  if (lstatSync(final, { throwIfNoEntry: false })?.isDirectory())
    throw Object.assign(new Error(`cannot replace ${path}: it is a directory`), { code: 'EISDIR' });
  if (to === undefined) {
    const descriptor = openSync(temporary, 'wx', mode);
    staged.push({ path, temporary });
    try {
      writeFileSync(descriptor, content);
      fchmodSync(descriptor, mode);
    } finally {
      closeSync(descriptor);
    }
  } else {
    symlinkSync(to, temporary);
    staged.push({ path, temporary });
  }
}

/** Removes what a run that was killed has left beside these files. */
function removeTemporaries(files) {
  for (const folder of new Set(files.map((path) => dirname(onDisk(path))))) {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) continue;
    for (const name of readdirSync(folder)) {
      const [, pid] = /^\..+\.(\d+)\.credmon-new$/.exec(name) ?? [];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
    }
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function uninstall() {
  const files = installedFiles();
  if (files === undefined) {
    console.error(`install-to: ${list} does not exist: nothing is installed in ${target}`);
    process.exit(1);
  }
  rmSync(onDisk(join(paths.lib, 'cache')), { recursive: true, force: true });
  removeTemporaries(files);
  // The list is the last: what is left is removed at the next time.
  const isRemoved = (path) => {
    if (!remove(path)) return false;
    console.log(`removed ${path}`);
    return true;
  };
  const left = files.filter((path) => path !== list && !isRemoved(path));
  if (left.length > 0) process.exit(1);
  isRemoved(list);
}

function installedFiles() {
  if (!existsSync(onDisk(list))) return undefined;
  // A list from elsewhere must not remove what is outside of the prefix.
  return readFileSync(onDisk(list), 'utf8')
    .split('\n')
    .filter((path) => path === normalize(path) && path.startsWith(below));
}

/**
 * Removes a file, and the directories above it that are empty then. Returns false and says why
 * if it is still there.
 */
function remove(path) {
  try {
    unlinkSync(onDisk(path));
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
      console.error(`install-to: cannot remove ${path} (${error.code})`);
      return false;
    }
  }
  for (let folder = dirname(path); folder.length > target.length; folder = dirname(folder)) {
    const at = onDisk(folder);
    if (!existsSync(at) || !lstatSync(at).isDirectory()) continue;
    if (readdirSync(at).length > 0) break;
    rmdirSync(at);
  }
  return true;
}

/**
 * The compiled code of the daemon and of short commands is kept from now on, for the Node.js
 * that runs this; the first start as the owner keeps that of another Node.js. It is the code
 * that a run has used: the credential directory has one token, which is fresh.
 */
async function keepCompiledCode() {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-install-'));
  const config = join(folder, 'condor_config');
  const credentials = join(folder, 'credentials');
  writeFileSync(
    config,
    `# What most configurations have.
LOG = ${folder}
SEC_CREDENTIAL_DIRECTORY_OAUTH = ${credentials}
TRUST_CREDENTIAL_DIRECTORY = true
CREDMON_RUN_DIR = ${join(folder, 'run')}
CREDMON_OAUTH_LOG = $(LOG)/CredMonOAuthLog
if defined sample_CLIENT_ID
else
sample_CLIENT_ID = sample
endif
sample_CLIENT_SECRET_FILE = ${join(folder, 'secret')}
sample_TOKEN_URL = https://issuer.invalid/token
sample_AUTHORIZATION_URL = https://issuer.invalid/authorize
sample_RETURN_URL_SUFFIX = /return/sample
`,
  );
  writeFileSync(join(folder, 'secret'), 'sample\n', { mode: 0o600 });
  mkdirSync(credentials);
  chmodSync(credentials, 0o2770);
  mkdirSync(join(credentials, 'root'), { mode: 0o700 });
  for (const [kind, value] of Object.entries({
    top: { refresh_token: 'sample', scopes: 'read', audience: '' },
    use: { access_token: 'sample', expires_in: 86_400, expires_at: Date.now() / 1000 + 86_400 },
  }))
    writeFileSync(join(credentials, 'root', `sample.${kind}`), JSON.stringify(value), {
      mode: 0o600,
    });
  const program = onDisk(join(paths.lib, 'condor_credmon.cjs'));
  const options = { stdio: 'ignore', env: { PATH: process.env.PATH, CONDOR_CONFIG: config } };
  await runUntil(join(credentials, 'CREDMON_COMPLETE'), [program], options);
  for (const command of ['status --user root', 'usable root sample', 'config get LOG', '--version'])
    spawnSync(process.execPath, [program, ...command.split(' ')], options);
  rmSync(folder, { recursive: true, force: true });
}

/** Runs a daemon until `file` exists. */
async function runUntil(file, args, options) {
  const child = spawn(process.execPath, args, options);
  const ended = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  for (let waited = 0; isRunning() && !existsSync(file) && waited < START_LIMIT; waited += 10)
    await rest(10);
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), START_LIMIT);
  await ended;
  clearTimeout(late);
}
