// What every section gets: the programs, the sizes of this run, the floors and the issuer.
import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAccessPoint, removeTree, type AccessPoint } from './access-point.ts';
import type { IssuerOptions, IssuerStats } from '../floors/issuer.ts';
import { ask, get } from '../floors/http-load.ts';
import type { Growth } from '../output/plots.ts';
import { end, endedChildrenCpu, finished, start } from './processes.ts';
import {
  install,
  otherProgram,
  ourProgram,
  poolProgram,
  type Daemon,
  type Program,
} from './programs.ts';
import type { Options } from './arguments.ts';
import type { Measured, Sample } from './rows.ts';

type Environment = Readonly<Record<string, string>>;

/** What a child of child.ts reports about its work. */
export interface FloorResult {
  readonly result: unknown;
  /** CPU seconds of the work alone. */
  readonly work: number;
  /** CPU seconds with the start of Node.js. */
  readonly cpu: number;
  readonly wall: number;
  /** MiB. */
  readonly peak: number;
  /** Bytes of system calls during the work. */
  readonly read: number;
  readonly written: number;
}

/** A running issuer. */
export interface Issuer {
  readonly port: number;
  readonly tokenUrl: string;
  stats(): Promise<IssuerStats>;
  /** Begins to count again. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/** The surroundings of a section. */
export interface Bench {
  readonly options: Options;
  readonly repository: string;
  /** The directory of all data of this run; in memory, if nothing else was asked for. */
  readonly work: string;
  /** The directory of what must be durable. */
  readonly disk: string;
  readonly ours: Program;
  /** The path of an installed program, by name. */
  readonly installed: (name: string) => string;
  readonly against: Program | undefined;
  /** The programs that renew this kind of token, ours first. */
  readonly programs: (kind: 'oauth' | 'local') => readonly Program[];
  readonly say: (line: string) => void;
  /** Remarks for the report. */
  readonly remarks: string[];
  readonly growth: Growth[];
  /** Makes an access point below `parent`, usually `work`. */
  readonly accessPoint: (parent?: string) => AccessPoint;
  /** Runs a floor in a process of its own. */
  readonly floor: (...words: readonly (string | number)[]) => Promise<FloorResult>;
  /** Starts a server of child.ts; returns the first line that it prints. */
  readonly server: (...words: readonly string[]) => Promise<Server>;
  readonly issuer: (options?: Partial<IssuerOptions>) => Promise<Issuer>;
  /** CPU and wall seconds of a command, the mean of `runs` runs in a row. */
  readonly command: (words: readonly string[], environment: Environment, runs: number) => Sample;
  readonly remove: () => void;
}

/** A server that a section has started. */
export interface Server {
  readonly child: ChildProcess;
  readonly ready: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** A section of the report. */
export interface Section {
  readonly name: string;
  readonly title: string;
  readonly measure: (bench: Bench) => Promise<readonly Measured[]>;
  /** Work of which `--profile` shows the CPU time; gets a daemon's program and settles it. */
  readonly profile?: (bench: Bench, program: Program) => Promise<void>;
}

/**
 * The environment of floors: as many threads as tokens at a time, and nothing that makes
 * the start of Node.js longer, such as NODE_EXTRA_CA_CERTS.
 */
export const FLOOR_ENVIRONMENT: Environment = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  UV_THREADPOOL_SIZE: '32',
};

/** Where files cost the same CPU time on every machine. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Prepares the surroundings: installs the programs, unpacks the other one. */
export function createBench(
  options: Options,
  repository: string,
  say: (line: string) => void,
): Bench {
  const isPool = options.against === 'pool';
  const made = (parent: string): string => mkdtempSync(join(parent, 'credmon-bench-'));
  // The root directory of a pool is large, and its programs cannot run everywhere.
  const base = made(options.directory ?? (isPool ? tmpdir() : MEMORY));
  const disk = isPool || options.directory !== undefined ? undefined : made(tmpdir());
  const remove = (): void => {
    for (const directory of [base, disk]) if (directory !== undefined) removeTree(directory);
  };
  // Also when it is interrupted.
  process.once('exit', remove);
  const root = join(base, 'pool');
  const against =
    options.against === undefined
      ? undefined
      : isPool
        ? poolProgram(root)
        : otherProgram(options.against);
  // What the other program must see is inside its root directory.
  const work = isPool ? mkdtempSync(join(root, 'bench-')) : base;
  const daemon = install(repository, join(work, 'installed'));
  const ours = ourProgram(daemon);
  const child = join(repository, 'bench/dist/child.js');
  const environment = FLOOR_ENVIRONMENT;
  const server: Bench['server'] = async (...words) => {
    const process_ = start(process.execPath, [child, ...words], environment);
    const ready = await firstLine(process_);
    return {
      child: process_,
      ready: JSON.parse(ready) as Record<string, number>,
      stop: () => end(process_),
    };
  };
  return {
    options,
    repository,
    work,
    disk: disk ?? work,
    ours,
    against,
    say,
    installed: (name) => join(work, 'installed', 'bin', name),
    programs: (kind) => [
      ours,
      ...(against !== undefined && against.kinds.includes(kind) ? [against] : []),
    ],
    remarks: [
      disk === undefined
        ? 'All files are in one directory.'
        : 'Files are in memory, and on a disk in the sections renewals and sighup.',
    ],
    growth: [],
    accessPoint: (parent = work) => createAccessPoint(parent),
    floor: async (...words) => {
      const process_ = start(process.execPath, [child, ...words.map(String)], environment);
      let errors = '';
      process_.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
      const output = await finished(process_).catch((error: unknown) => {
        throw new Error(`floor ${words.join(' ')}: ${errors}`, { cause: error });
      });
      return JSON.parse(output.trim().split('\n').at(-1) ?? '') as FloorResult;
    },
    server,
    issuer: async (given = {}) => {
      const settings: IssuerOptions = {
        latency: 0,
        rotation: true,
        errors: 0,
        error: '503',
        lifetime: 86_400,
        ...given,
      };
      const running = await server('issuer', JSON.stringify(settings));
      const port = running.ready['port'] ?? 0;
      const stats = async (path: string): Promise<IssuerStats> =>
        JSON.parse((await ask(port, get(path))).body) as IssuerStats;
      return {
        port,
        tokenUrl: `http://127.0.0.1:${port}/token`,
        stats: () => stats('/stats'),
        forget: async () => void (await stats('/forget')),
        stop: () => running.stop(),
      };
    },
    command: ([program = '', ...args], own, runs) => {
      const before = endedChildrenCpu();
      const began = performance.now();
      for (let run = 0; run < runs; run += 1) {
        const { error } = spawnSync(program, args, { env: own, stdio: 'ignore' });
        if (error !== undefined) throw error;
      }
      const wall = (performance.now() - began) / 1000 / runs;
      const cpu = (endedChildrenCpu() - before) / runs;
      return { value: cpu, cpu, wall };
    },
    remove,
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.includes('\n')) resolve(output.slice(0, output.indexOf('\n')));
    });
    child.once('exit', (code) => reject(new Error(`a server ended with ${code}: ${output}`)));
  });
}

/** Runs `work` with a daemon, and stops the daemon whatever happens. */
export async function withDaemon<T>(daemon: Daemon, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await daemon.stop();
  }
}

/** The commit of the repository; says when files differ from it. */
export function commitOf(repository: string): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'packages', 'bench');
  return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ' and changes'}`;
}
