// Runs the built executables as condor_master and a shell would: as child processes that are watched and always ended.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './wait-until.ts';

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process. `output` is everything that it printed so far, standard error included. */
export interface Child {
  readonly pid: number;
  readonly output: string;
  readonly exited: Promise<Exit>;
  /** How it ended; `undefined` while it runs. */
  readonly exit: Exit | undefined;
  /** Resolves with the match when `pattern` was printed. @throws Error with the output when it ends before, or after `seconds` */
  printed(pattern: RegExp, seconds?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGTERM, after ten seconds SIGKILL, and waits for the end. */
  stop(): Promise<Exit>;
}

/** Starts `command`. The environment is exactly `environment`. */
export function startProcess(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Child {
  const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let exit: Exit | undefined;
  const take = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
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
  });
  const name = [command, ...args].map((part) => part.split('/').at(-1)).join(' ');

  return {
    pid: child.pid ?? 0,
    get output() {
      return output;
    },
    get exit() {
      return exit;
    },
    exited,
    printed: (pattern, seconds = 20) =>
      waitUntil(
        () => {
          const match = pattern.exec(output);
          if (match === null && exit !== undefined)
            throw new Error(
              `${name} ended (${exit.code ?? exit.signal}) before it printed ${pattern}:\n${output}`,
            );
          return match;
        },
        { what: `${name} printing ${pattern}`, seconds },
      ).catch((error: unknown) => {
        throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output}`, {
          cause: error,
        });
      }),
    signal: (name) => void child.kill(name),
    stop: async () => {
      if (exit === undefined) child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const ended = await exited;
      clearTimeout(timer);
      return ended;
    },
  };
}

/** The built executables, by the name that a user types. */
export type Executable = 'condor_credmon' | 'condor_credential_storer' | 'condor_credmon_webserver';

const BUILT: Readonly<Record<Executable, string>> = {
  condor_credmon: 'packages/credmon/dist/bin/condor_credmon.cjs',
  condor_credential_storer: 'packages/credmon/dist/bin/condor_credential_storer.js',
  condor_credmon_webserver: 'packages/webserver/dist/bin/condor_credmon_webserver.js',
};

/** The path of a built executable below the repository at `root`. @throws Error that says how to build it */
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
