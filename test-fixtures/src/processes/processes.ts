// Runs the built executables as child processes that always end. Tests and the demo start
// all their long-running processes here.
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
 * A child process. `output` is everything that it has printed, including standard error.
 */
export interface Child {
  readonly pid: number;
  /** The command line, without directories. */
  readonly name: string;
  readonly output: string;
  /** What it has printed to standard output. */
  readonly stdout: string;
  readonly exited: Promise<Exit>;
  /** How it ended; `undefined` while it runs. */
  readonly exit: Exit | undefined;
  /**
   * Resolves with the match when `pattern` is printed.
   * @throws Error with the output if the process ends before, or after the timeout
   */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the process, or to its whole group. */
  signal(name: NodeJS.Signals, to?: { readonly group: boolean }): void;
  /**
   * Sends SIGTERM, after {@link PATIENCE} SIGKILL to the whole group, and waits for the
   * end.
   */
  stop(): Promise<Exit>;
}

/**
 * Options of a child besides its environment: text for standard input, and a working
 * directory.
 */
export interface ChildOptions {
  readonly input?: string;
  readonly directory?: string;
}

/**
 * The environment variable that marks the test run of a process; the end of the run
 * searches for it.
 */
export const RUN_MARKER = 'CREDMON_TEST_RUN';

/**
 * Ends a child when its parent ends, even if the parent is killed.
 * @see prctl(2), PR_SET_PDEATHSIG
 */
export const TETHER = '/usr/bin/setpriv';
const isTethered = existsSync(TETHER);

/** Children that have not ended yet. */
const running = new Set<Child>();

/**
 * Kills every running child with its process group, at the end of a test file. A
 * descendant that left the group and keeps a pipe open is found by the search at the end
 * of the run.
 * @returns the names of the killed children
 */
export async function endChildren(): Promise<string[]> {
  const left = [...running];
  for (const child of left) child.signal('SIGKILL', { group: true });
  await Promise.race([Promise.all(left.map((child) => child.exited)), setTimeout(5000)]);
  return left.map((child) => child.name);
}

/**
 * Starts `command` in its own process group. The environment is exactly `environment` and
 * {@link RUN_MARKER}.
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
  let stdout = '';
  let exit: Exit | undefined;
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
    stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
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
    get stdout() {
      return stdout;
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

/** Sends a signal to a process group, if it still exists. */
function killGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The built executables by command name. */
export type Executable =
  | 'condor_credmon'
  | 'condor_credential_storer'
  | 'condor_credmon_mytoken'
  | 'condor_credmon_webserver';

const BUILT: Readonly<Record<Executable, string>> = {
  condor_credmon: 'packages/credmon/dist/bin/condor_credmon.cjs',
  condor_credential_storer: 'packages/credmon/dist/bin/condor_credential_storer.js',
  condor_credmon_mytoken: 'packages/credmon/dist/bin/condor_credmon_mytoken.cjs',
  condor_credmon_webserver: 'packages/webserver/dist/bin/condor_credmon_webserver.js',
};

/**
 * Returns the path of a built executable in the repository at `root`.
 * @throws Error that says how to build it
 */
export function executablePath(root: string, name: Executable): string {
  const path = join(root, BUILT[name]);
  if (!existsSync(path)) throw new Error(`${BUILT[name]} is not built; run: npm run build`);
  return path;
}

/** Starts a built executable with the Node of this process. */
export function startExecutable(
  root: string,
  name: Executable,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Child {
  return startProcess(process.execPath, [executablePath(root, name), ...args], environment);
}
