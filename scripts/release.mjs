// Makes a release: checks, the version, the packages, and notes from the CHANGELOG. It
// neither commits nor publishes: it prints the commands for that.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refusal, withSection, withVersion } from './release/edits.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = `usage: npm run release -- [--dry-run] [--no-checks] VERSION

Runs all checks and tests, writes VERSION (such as 1.2.3) wherever the version is, gives the
section "Unreleased" of CHANGELOG.md this version and date, and builds in dist/: the
tarballs (npm), the packages (package) and the notes (release).
  --dry-run    say what would be done, and change nothing
  --no-checks  without lint, format, types and tests`;

const CHECKS = ['lint', 'format:check', 'typecheck', 'test'];
const BUILDS = ['build', 'pack', 'package'];

const read = (path) => readFileSync(join(root, path), 'utf8');
/** Returns the paths in a folder that end like this; none without the folder. */
const filesIn = (folder, ending) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder))
        .filter((name) => name.endsWith(ending))
        .map((name) => `${folder}/${name}`)
    : [];

/** The files that contain the version; package.json of the workspace is the original. */
function filesWithVersion() {
  const names = ['core', 'scitokens', 'credmon', 'webserver'];
  return [
    'package.json',
    ...names.map((name) => `packages/${name}/package.json`),
    ...names.map((name) => `packages/${name}/src/version.ts`),
    'packages/webserver/test/reload.test.ts',
    'docs/install.md',
    ...filesIn('tests/packages', '.test.ts'),
  ].filter((path) => existsSync(join(root, path)));
}

/** Runs a program to its end. @throws Error if it fails */
function run(program, ...words) {
  const { status } = spawnSync(program, words, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed; nothing is published`);
}

/** @throws Error if files are changed: they would become part of the release */
function requireCleanCheckout() {
  const git = spawnSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (git.status !== 0) throw new Error('a release needs a git checkout');
  if (git.stdout !== '') throw new Error(`commit or remove these changes first:\n${git.stdout}`);
}

function release({ version, isDry, hasChecks }) {
  const current = JSON.parse(read('package.json')).version;
  const changelog = read('CHANGELOG.md');
  const why = refusal(version, current, changelog);
  if (why !== undefined) throw new Error(why);
  if (!isDry) requireCleanCheckout();

  const date = new Date().toISOString().slice(0, 10);
  const next = withSection(changelog, version, date);
  const edits = filesWithVersion()
    .map((path) => ({ path, text: withVersion(read(path), current, version) }))
    .filter(({ path, text }) => text !== read(path));
  edits.push({ path: 'CHANGELOG.md', text: next.changelog });
  const checks = hasChecks ? CHECKS : [];

  if (isDry) {
    const steps = [...checks, ...BUILDS].map((name) => `would run: npm run ${name}`);
    const files = edits.map(({ path }) => `would change: ${path}`);
    const lines = [...steps.slice(0, checks.length), ...files, ...steps.slice(checks.length)];
    console.log([...lines, 'would write: dist/release/NOTES.md', '', next.notes].join('\n'));
    return;
  }
  for (const name of checks) run('npm', 'run', name);
  for (const { path, text } of edits) writeFileSync(join(root, path), text);
  for (const name of BUILDS) run('npm', 'run', name);
  mkdirSync(join(root, 'dist/release'), { recursive: true });
  writeFileSync(join(root, 'dist/release/NOTES.md'), next.notes);
  console.log(`
version ${version} is ready: dist/npm, dist/package, dist/release/NOTES.md. To publish it:
  git commit -am "release: ${version}" && git tag -a v${version} -m "credmon ${version}"
  git push --follow-tags
  for file in dist/npm/*.tgz; do npm publish --access public "$file"; done`);
}

const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith('-'));
const [version, ...more] = words.filter((word) => !word.startsWith('-'));
const isKnown = flags.every((flag) => ['--dry-run', '--no-checks'].includes(flag));
if (version === undefined || more.length > 0 || !isKnown) {
  console.error(USAGE);
  process.exit(2);
}
try {
  const isDry = flags.includes('--dry-run');
  release({ version, isDry, hasChecks: !flags.includes('--no-checks') });
} catch (error) {
  console.error(`release: ${error.message}`);
  process.exitCode = 1;
}
