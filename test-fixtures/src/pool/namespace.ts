// A copy of a root directory with namespaces of its own: network, processes, mounts. All
// of its processes end with it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, type Child, type ChildOptions, type Exit } from '../processes/processes.ts';
import { waitUntil } from '../clocks/wait-until.ts';
import { forwardIn, forwardOut, type Forwards } from './forwards.ts';

/** How a command runs inside. The environment is exactly PATH, HOME, LANG and this. */
export interface InsideOptions extends ChildOptions {
  /** By default root. */
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a command that has ended has printed. */
export interface Output extends Exit {
  readonly stdout: string;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** A running copy of a root directory. */
export interface Namespace {
  /** The path on the host of a file inside. */
  path(inside: string): string;
  /** Starts a command inside; its `stop` and `signal` reach the command. */
  start(command: readonly string[], options?: InsideOptions): Child;
  /** Runs a command inside and waits until it ends. */
  run(command: readonly string[], options?: InsideOptions): Promise<Output>;
  /**
   * As `run`, for a command that must succeed; returns its standard output.
   * @throws Error with all that the command has printed
   */
  must(command: readonly string[], options?: InsideOptions): Promise<string>;
  /** Makes a port of the host's 127.0.0.1 a port of the inside's, with the same number. */
  bringIn(port: number): Promise<void>;
  /**
   * Makes a port of the inside's 127.0.0.1 reachable from the host; returns its number
   * there, which is `onHost` or chosen by the system.
   */
  bringOut(port: number, onHost?: number): Promise<number>;
  /** Ends all processes inside and deletes the copy. */
  remove(): Promise<void>;
}

/** The name of the machine inside, which is 127.0.0.1 there. */
export const POOL_HOST = 'vm.pool.test';

/**
 * Starts a copy of the directory `root`, which stays as it is: what is written goes to a
 * directory of the copy. Needs root, as `unshare` does.
 */
export async function startNamespace(root: string): Promise<Namespace> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-pool-'));
  for (const name of ['upper', 'work', 'root', 'sockets']) mkdirSync(join(directory, name));
  const first = startProcess(
    '/usr/bin/unshare',
    [...NEW_NAMESPACES, '/bin/bash', '-c', FIRST_PROCESS, 'pool', root, directory, POOL_HOST],
    { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  );
  const forwards: Forwards[] = [];
  let innermost: number | undefined;
  const remove = async (): Promise<void> => {
    for (const forward of forwards) await forward.close();
    // The first process ends after all others inside, and unshare after it.
    if (innermost === undefined || !killed(innermost)) first.signal('SIGKILL', { group: true });
    await first.exited;
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await first.printed(/^ready$/m);
  } catch (error) {
    await remove();
    throw error;
  }
  const target = await firstPid(first);
  innermost = target;
  const start: Namespace['start'] = (command, { user = 'root', environment, ...rest } = {}) => {
    const child = startProcess(
      '/usr/bin/nsenter',
      [
        `--target=${target}`,
        ...SAME_NAMESPACES,
        '/usr/bin/env',
        '-i',
        ...variables(user, environment),
        ...(user === 'root' ? [] : ['/usr/sbin/runuser', '-u', user, '--']),
        ...command,
      ],
      { PATH: '/usr/bin:/bin' },
      rest,
    );
    return Object.create(child, {
      // The command is a child of nsenter, which passes no signal on.
      signal: { value: (name: NodeJS.Signals) => child.signal(name, { group: true }) },
      stop: {
        value: () => {
          child.signal('SIGTERM', { group: true });
          return child.exited;
        },
      },
    }) as Child;
  };
  const run: Namespace['run'] = async (command, options) => {
    const child = start(command, options);
    const exit = await child.exited;
    return { ...exit, stdout: child.stdout, output: child.output };
  };
  return {
    path: (inside) => join('/proc', String(target), 'root', inside),
    start,
    run,
    must: async (command, options) => {
      const { code, stdout, output } = await run(command, options);
      if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${output}`);
      return stdout;
    },
    bringIn: async (port) => {
      forwards.push(await forwardIn(start, directory, port));
    },
    bringOut: async (port, onHost = 0) => {
      const forward = await forwardOut(start, directory, port, onHost);
      forwards.push(forward);
      return forward.port;
    },
    remove,
  };
}

const NAMESPACES = ['--mount', '--net', '--pid', '--ipc', '--uts'];
const NEW_NAMESPACES = [...NAMESPACES, '--fork', '--kill-child'];
/** With the root and working directory of the first process. */
const SAME_NAMESPACES = [...NAMESPACES, '--root', '--wd'];

/**
 * Runs as the first process inside until it is killed, and collects processes that have
 * lost their parent.
 */
const FIRST_PROCESS = `set -e
lower=$1 directory=$2 host=$3
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$directory/upper,workdir=$directory/work" "$directory/root"
mkdir -p "$directory/root/run/pool"
mount --bind "$directory/sockets" "$directory/root/run/pool"
mount -t proc proc "$directory/root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$directory/root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$directory/root/dev/pts"
rm -f "$directory/root/dev/ptmx" && ln -s pts/ptmx "$directory/root/dev/ptmx"
hostname "$host"
echo "127.0.0.1 $host localhost" >> "$directory/root/etc/hosts"
ip link set lo up
cd "$directory/root"
pivot_root . mnt
umount -l /mnt
sleep infinity &
echo ready
while :; do wait -n || :; done
`;

/** Kills a process; false if it has ended. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** The number on the host of the only child of `unshare`. */
function firstPid(unshare: Child): Promise<number> {
  const path = `/proc/${unshare.pid}/task/${unshare.pid}/children`;
  return waitUntil(() => Number(readFileSync(path, 'utf8').trim()), {
    what: 'the first process of a pool',
  });
}

function variables(user: string, environment: InsideOptions['environment'] = {}): string[] {
  const sbin = user === 'root' ? '/usr/local/sbin:/usr/local/bin:/usr/sbin:' : '/usr/local/bin:';
  const all = {
    PATH: `${sbin}/usr/bin:/bin`,
    HOME: user === 'root' ? '/root' : `/home/${user}`,
    LANG: 'C.UTF-8',
    ...environment,
  };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}
