// The root directory that pools are copies of: the kept archive, our programs and a
// certificate authority.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates, readCertificates, type Certificates } from '../servers/certificates.ts';
import { skipWithout } from '../processes/skipped.ts';
import { POOL_HOST } from './namespace.ts';

/** Where test-fixtures/pool/make-root.sh keeps the archive. */
const ARCHIVE = process.env['CREDMON_POOL_ROOT'] ?? '/var/cache/credmon/pool-root.tar.zst';
const TOOLS = ['/usr/bin/unshare', '/usr/bin/nsenter', '/usr/bin/zstd'];
const REMEDY = 'as root: apt-get install debootstrap zstd && test-fixtures/pool/make-root.sh';

/** A root directory, and the authority that all of its programs accept. */
export interface RootDirectory {
  readonly root: string;
  /** A certificate for {@link POOL_HOST}, `localhost` and 127.0.0.1. */
  readonly certificates: Certificates;
}

/** The parts of the root directory that `prepareRoot` has made below `directory`. */
function partsOf(directory: string): { root: string; authority: string } {
  return { root: join(directory, 'pool-root'), authority: join(directory, 'pool-authority') };
}

/**
 * Returns what pools need and this machine does not have, with what to do about it;
 * `undefined` when pools can run.
 */
export function missingForPools(): { readonly what: string; readonly remedy: string } | undefined {
  const missing = [ARCHIVE, ...TOOLS].find((path) => !existsSync(path));
  const what = missing ?? (process.getuid?.() === 0 ? undefined : 'root');
  return what === undefined ? undefined : { what, remedy: REMEDY };
}

/**
 * True if pools cannot run here, for `describe.skipIf`; records the reason.
 * @throws Error in CI, so that the file counts as failed
 */
export function isPoolMissing(): boolean {
  const missing = missingForPools();
  return missing !== undefined && skipWithout(`HTCondor pool (${missing.what})`, missing.remedy);
}

/**
 * Unpacks the archive below `directory` and installs what is built in `repository` into
 * it, as an administrator does. Does nothing where pools cannot run.
 */
export function prepareRoot(repository: string, directory: string): void {
  if (!existsSync(ARCHIVE) || process.getuid?.() !== 0) return;
  const { root, authority } = partsOf(directory);
  if (existsSync(root)) return;
  mkdirSync(root);
  const run = (command: string, ...args: readonly string[]): void =>
    void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  run('tar', '--zstd', '-xf', ARCHIVE, '-C', root);
  run(
    '/usr/bin/env',
    `DESTDIR=${root}`,
    process.execPath,
    join(repository, 'scripts/install.mjs'),
    '/usr/local',
  );
  for (const name of ['configs', 'docs'])
    cpSync(join(repository, name), join(root, 'usr/local/share/credmon', name), {
      recursive: true,
    });
  mkdirSync(authority);
  const names = `DNS:${POOL_HOST},DNS:localhost,IP:127.0.0.1`;
  const { caFile } = makeCertificates(authority, { names });
  cpSync(caFile, join(root, 'usr/local/share/ca-certificates/credmon-test.crt'));
  run('chroot', root, '/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin', 'update-ca-certificates');
}

/**
 * The root directory of this run.
 * @throws Error if `prepareRoot` has not made it
 */
export function rootDirectory(directory: string): RootDirectory {
  const { root, authority } = partsOf(directory);
  if (!existsSync(root)) throw new Error(`${root} was not prepared`);
  return { root, certificates: readCertificates(authority) };
}
