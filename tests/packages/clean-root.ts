// A copy of a kept root directory of Debian, where packages are installed and programs run
// with the network of this machine.
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { noteSkipped, skipWithout } from '@credmon/test-fixtures/processes/skipped';
import { run } from './commands.ts';

/** The kinds of test-fixtures/pool/make-root.sh. */
export type Kind = 'pool' | 'debian13' | 'debian12' | 'newcomer';

const archiveOf = (kind: Kind): string => `/var/cache/credmon/${kind}-root.tar.zst`;

/**
 * True if root directories cannot be used here, for `describe.skipIf`; records the reason.
 * @throws Error in CI, so that the file counts as failed; not for a kind that the package
 * mirror may lack
 */
export function isRootMissing(kind: Kind): boolean {
  const isRoot = process.getuid?.() === 0;
  if (existsSync(archiveOf(kind)) && isRoot) return false;
  const remedy = `as root: apt-get install debootstrap zstd && test-fixtures/pool/make-root.sh ${kind}`;
  if (!isRoot || (kind !== 'debian12' && kind !== 'newcomer'))
    return skipWithout(archiveOf(kind), remedy);
  noteSkipped(`${archiveOf(kind)} is missing; ${remedy}`);
  return true;
}

/** A root directory of its own. `path` gives the path on this machine. */
export interface CleanRoot {
  path(inside: string): string;
  /** Runs a shell command inside, as root, and returns what it printed. */
  sh(command: string, expected?: number): Promise<string>;
  /** Starts a program inside, as a user of the root directory. */
  start(user: string, words: readonly string[]): Child;
  /** The ids of a user of the root directory. */
  idsOf(user: string): { readonly uid: number; readonly gid: number };
  /** Gives a file of this machine to a user of the root directory. */
  give(path: string, user: string): void;
  remove(): void;
}

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C.UTF-8' };

/** Unpacks a root directory. */
export async function cleanRoot(kind: Kind): Promise<CleanRoot> {
  const root = mkdtempSync(join(tmpdir(), `credmon-${kind}-`));
  await run('/', ['tar', '--zstd', '-xf', archiveOf(kind), '-C', root]);
  /** /proc is mounted in a namespace of the command, so that nothing stays mounted. */
  const words = (user: string, command: readonly string[]): string[] => [
    '/usr/bin/unshare',
    '--mount',
    '/bin/sh',
    '-c',
    'root=$1 user=$2; shift 2; mount -t proc proc "$root/proc" && exec chroot --userspec="$user" "$root" "$@"',
    'sh',
    root,
    user,
    ...command,
  ];
  const idsOf = (user: string): { uid: number; gid: number } => {
    const line = readFileSync(join(root, 'etc/passwd'), 'utf8')
      .split('\n')
      .find((text) => text.startsWith(`${user}:`));
    const [, , uid, gid] = (line ?? '').split(':').map(Number);
    if (uid === undefined || gid === undefined) throw new Error(`no user ${user}`);
    return { uid, gid };
  };
  return {
    path: (inside) => join(root, inside),
    sh: (command, expected) =>
      run('/', words('root:root', ['/bin/sh', '-ec', command]), ENVIRONMENT, expected),
    start: (user, command) =>
      startProcess('/usr/bin/env', ['-C', '/', ...words(`${user}:${user}`, command)], ENVIRONMENT),
    idsOf,
    give: (path, user) => {
      const { uid, gid } = idsOf(user);
      chownSync(path, uid, gid);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
