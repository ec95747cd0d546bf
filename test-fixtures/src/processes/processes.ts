// Runs the built executables as condor_master and a shell would: as child processes that
// are watched and always ended. Everything that tests and demo leave running for a while
// is started here.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PATIENCE } from '../clocks/patience.ts';
import { waitUntil } from '../clocks/wait-until.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A child process. `output` is everything that it printed so far, standard error
 * included.
 */
export interface Child {
  readonly pid: number;
  /** The command line, without directories. */
  readonly name: string;
  readonly output: string;
  readonly exited: Promise<Exit>;
  /** How it ended; `undefined` while it runs. */
  readonly exit: Exit | undefined;
  /**
   * Resolves with the match when `pattern` was printed.
   * @throws Error with the output when it ends before, or never prints it
   */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the process, or to its whole group. */
  signal(name: NodeJS.Signals, to?: { readonly group: boolean }): void;
  /**
   * Sends SIGTERM, SIGKILL to its whole group after {@link PATIENCE}, and waits for the
   * end.
   */
  stop(): Promise<Exit>;
}

/**
 * What a child gets besides its environment: text for its standard input, and a working
 * directory.
 */
export interface ChildOptions {
  readonly input?: string;
  readonly directory?: string;
}

/**
 * The environment variable that says which test run a process belongs to; the end of the
 * run looks for it.
 */
export const RUN_MARKER = 'CREDMON_TEST_RUN';

/**
 * Ends a child together with the process that started it, also when that one is killed.
 * @see prctl(2), PR_SET_PDEATHSIG
 */
export const TETHER = '/usr/bin/setpriv';
const isTethered = existsSync(TETHER);

/** Children that have not ended yet. */
const running = new Set<Child>();

/**
 * Kills every child that still runs, with its process group; for the end of a test file.
 * Answers with their names. A descendant that left the group and holds a pipe open is
 * left to the search at the end of the run.
 */
export async function endChildren(): Promise<string[]> {
  const left = [...running];
  for (const child of left) child.signal('SIGKILL', { group: true });
  await Promise.race([Promise.all(left.map((child) => child.exited)), setTimeout(5000)]);
  return left.map((child) => child.name);
}

/**
 * Starts `command` in a process group of its own. The environment is exactly
 * `environment`, and {@link RUN_MARKER}.
 */
export function startProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { input, directory }: ChildOptions = {},
): Child {
  const words = [command, ...args];
  const [program = command, ...rest] = isTethered
    ? [TETHER, '--pdeathsig', 'KILL', '--', ...words]
    : words;
  const marker = process.env[RUN_MARKER];
  const child = spawn(program, rest, {
    env: marker === undefined ? environment : { ...environment, [RUN_MARKER]: marker },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
    ...(directory === undefined ? {} : { cwd: directory }),
  });
  // EPIPE: the child ended without reading its input.
  child.stdin?.on('error', () => undefined).end(input);
  let output = '';
  let exit: Exit | undefined;
  const take = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const exited = new Promise<Exit>((resolve) => {
    child.on('error', (error) => {
      output += error.message;
      exit = { code: null, signal: null };
      resolve(exit);
    });
    child.on('close', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  }).finally(() => running.delete(self));
  const name = words.map((part) => part.split('/').at(-1)).join(' ');
  const send = (signal: NodeJS.Signals, group = false): void => {
    if (group && child.pid !== undefined) killGroup(child.pid, signal);
    else child.kill(signal);
  };

  const self: Child = {
    pid: child.pid ?? 0,
    name,
    get output() {
      return output;
    },
    get exit() {
      return exit;
    },
    exited,
    printed: (pattern) =>
      waitUntil(
        () => {
          const match = pattern.exec(output);
          if (match === null && exit !== undefined)
            throw new Error(
              `${name} ended (${exit.code ?? exit.signal}) before it printed ${pattern}:\n${output}`,
            );
          return match;
        },
        { what: `${name} printing ${pattern}` },
      ).catch((error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output}`, {
          cause: error,
        });
      }),
    signal: (signal, to) => send(signal, to?.group),
    stop: async () => {
      if (exit === undefined) send('SIGTERM');
      const over = new AbortController();
      void setTimeout(1000 * PATIENCE, undefined, { signal: over.signal }).then(
        () => send('SIGKILL', true),
        () => undefined,
      );
      const ended = await exited;
      over.abort();
      return ended;
    },
  };
  running.add(self);
  return self;
}

/** Sends a signal to a process group; one that has ended is left alone. */
function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The built executables, by the name that a user types. */
export type Executable = 'condor_credmon' | 'condor_credential_storer' | 'condor_credmon_webserver';

const BUILT: Readonly<Record<Executable, string>> = {
  condor_credmon: 'packages/credmon/dist/bin/condor_credmon.cjs',
  condor_credential_storer: 'packages/credmon/dist/bin/condor_credential_storer.js',
  condor_credmon_webserver: 'packages/webserver/dist/bin/condor_credmon_webserver.js',
};

/**
 * The path of a built executable below the repository at `root`.
 * @throws Error that says how to build it
 */
export function executablePath(root: string, name: Executable): string {
  const path = join(root, BUILT[name]);
  if (!existsSync(path)) throw new Error(`${BUILT[name]} is not built; run: npm run build`);
  return path;
}

/** Starts a built executable with this Node. */
export function startExecutable(
  root: string,
  name: Executable,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Child {
  return startProcess(process.execPath, [executablePath(root, name), ...args], environment);
}
