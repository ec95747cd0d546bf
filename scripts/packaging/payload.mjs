// What every package contains besides the files of `install-to`, and how it is written to the
// disk: the same bytes, modes and times in every build.
import { spawnSync } from 'node:child_process';
import { chmodSync, lutimesSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SYSUSERS, TMPFILES, commentedOut, packagePaths } from './distributions.mjs';
import { filesOf, packagesIn, sourceDate, versionOf } from './layout.mjs';
import { sbomText } from './sbom.mjs';

/** The configuration that the packages install; every setting in it is commented out. */
export const CONFIGURATION = '/etc/condor/config.d/60-credmon.conf';

/** Returns the files of a package of the distribution `deb` or `rpm`. */
export async function payload(root, distribution) {
  const paths = packagePaths(distribution);
  const files = await filesOf(root, root, paths);
  const example = files.find(({ path }) => path.endsWith('configs/condor/60-credmon.conf'));
  const facts = { version: versionOf(root), epoch: sourceDate(root) };
  const text = (path, content) => ({ path, content, mode: 0o644 });
  const all = [
    ...files.filter(({ path }) => !path.endsWith('/credmon/LICENSE')),
    text(CONFIGURATION, commentedOut(example.content)),
    text('/usr/lib/sysusers.d/credmon.conf', SYSUSERS),
    text('/usr/lib/tmpfiles.d/credmon.conf', TMPFILES),
    text(join(paths.doc, 'credmon.cdx.json'), sbomText(packagesIn(root, root), facts)),
  ];
  return all.map((file) => compressedPage(file));
}

/** Manual pages are compressed; a link to one follows. */
function compressedPage(file) {
  if (!/\/man\d\//.test(file.path)) return file;
  if (file.target) return { path: `${file.path}.gz`, target: `${file.target}.gz` };
  return { ...file, path: `${file.path}.gz`, content: compressed(file.content) };
}

/** Compresses without a name or a time. */
export function compressed(content) {
  const bytes = gzipSync(content, { level: 9 });
  // The header's system byte depends on the machine.
  bytes[9] = 3;
  return bytes;
}

/** Writes the files below `folder`, with the same time for each. */
export function stage(files, folder, epoch) {
  for (const { path, content, mode, target } of files) {
    const at = join(folder, path);
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 });
    if (target) symlinkSync(target, at);
    else {
      writeFileSync(at, content);
      chmodSync(at, mode);
    }
  }
  setTimes(folder, epoch);
}

function setTimes(folder, epoch) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) setTimes(path, epoch);
    else lutimesSync(path, epoch, epoch);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, epoch, epoch);
}

/** Runs a packaging tool. @throws Error with its output if it fails or is missing */
export function run(command, args, env = {}) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
  });
  if (status === 0) return stdout;
  const why = error?.code === 'ENOENT' ? 'not installed' : (error?.message ?? `status ${status}`);
  throw new Error(`${command}: ${why}\n${stdout ?? ''}${stderr ?? ''}`);
}
