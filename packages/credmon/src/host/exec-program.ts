// Runs a site's token program: JSON in, JSON out, no shell, a clean environment, with
// limits on time and output.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, shellWord, systemCode, afterAwake } from '@credmon/core/base';
import type { ProgramAnswer, ProgramCall, RunProgram } from '../providers/exec/exec.ts';

/** Maximum size of a program's output, in bytes. */
const MAX_OUTPUT = 256 * 1024;
/** Maximum size of the kept end of standard error, in bytes. */
const MAX_STDERR = 4096;

/** The environment, without the daemon's own variables. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/', LANG: 'C.UTF-8' };

/**
 * After the exit of a program, how long to wait for its remaining output, in seconds;
 * other processes may keep the pipe open.
 */
const GRACE = 0.2;

/**
 * Runs the program and reads its output. A program that takes too long or writes too much
 * is killed: the answer then has a `failure` (`PLUGIN_FAILED`) and the output so far.
 * @throws CodedError `PLUGIN_REFUSED` when it is unsafe or cannot be started;
 * `PLUGIN_FAILED` when the system lacks resources to start it now
 */
export const runProgram: RunProgram = async (call) => {
  const path = checkProgram(call);
  return new Promise((resolve, reject) => {
    const child = start(path, call);
    child.on('error', (error) => reject(notStarted(call, error)));
    // Without file descriptors there are no pipes, in spite of the types; the error event
    // gives the reason.
    if (child.pid === undefined) return;
    listen(call, child, child.pid).then(resolve, reject);
  });
};

function start(path: string, call: ProgramCall): ChildProcessWithoutNullStreams {
  try {
    return spawn(path, call.args, {
      argv0: call.command,
      cwd: '/',
      env: ENVIRONMENT,
      shell: false,
      // Its own process group, so that its children are killed with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw notStarted(call, error);
  }
}

/** Reads the output of a running program until its exit and a little longer. */
function listen(
  call: ProgramCall,
  child: ChildProcessWithoutNullStreams,
  pid: number,
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const output: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let abortReason: string | undefined;
    const end = (why?: string): void => {
      abortReason ??= why;
      killGroup(pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const cancel = [afterAwake(call.seconds, () => end(`did not answer within ${call.seconds} s`))];
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) end(`wrote more than ${MAX_OUTPUT} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_STDERR);
    });
    child.stdin.on('error', () => {
      // A program need not read its input; its output decides.
    });
    child.stdin.end(call.input);
    child.on('exit', () => {
      // Processes that the program left running, in its group or outside, must not delay
      // the answer.
      killGroup(pid);
      for (const each of cancel) each();
      cancel.push(afterAwake(GRACE, end));
    });
    child.on('close', (exit) => {
      for (const each of cancel) each();
      resolve({
        exit,
        output: Buffer.concat(output).toString('utf8'),
        stderr: lastLine(stderr),
        ...(abortReason === undefined ? {} : { failure: failed(call, abortReason) }),
      });
    });
  });
}

/** Lack of resources is temporary; other errors are for the administrator. */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

function notStarted(call: ProgramCall, error: unknown): CodedError {
  const code = systemCode(error) ?? 'unknown';
  const why = `cannot be started (${code})`;
  return SHORTAGES.has(code) ? failed(call, why) : unsafeError(call, why);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    return false;
  }
}

/**
 * Checks that only root or this user can change the program and its directories: it gets
 * every user's tokens.
 * @returns the path without links: only the checked file must be started
 * @throws CodedError `PLUGIN_REFUSED`, or `PLUGIN_FAILED` when the system lacks resources
 * for the check
 */
export function checkProgram(call: Pick<ProgramCall, 'name' | 'command'>): string {
  try {
    const path = realpathSync(call.command);
    if (!statSync(path).isFile()) throw unsafeError(call, 'is not a regular file');
    if (!isExecutable(path))
      throw unsafeError(call, `is not executable; fix: chmod +x ${shellWord(path)}`);
    for (const one of withParents(path)) {
      const { mode, uid } = lstatSync(one);
      const writable = (mode & 0o022) !== 0;
      if (writable || (uid !== 0 && uid !== process.geteuid?.()))
        throw unsafeError(
          call,
          one === path || one === dirname(path)
            ? `is not safe: others could change it; fix: chown root ${shellWord(one)} && chmod go-w ${shellWord(one)}`
            : `is not safe: others could change ${shellWord(one)}; move it below directories that only root can change`,
        );
    }
    return path;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const why = `cannot be found (${code})`;
    throw SHORTAGES.has(code) ? failed(call, why) : unsafeError(call, why);
  }
}

/** Returns the path and every directory above it, up to the root. */
function withParents(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...withParents(above)];
}

function unsafeError(
  { name, command }: Pick<ProgramCall, 'name' | 'command'>,
  why: string,
): CodedError {
  return new CodedError('PLUGIN_REFUSED', `the token program of ${name} (${command}) ${why}`, {
    provider: name,
  });
}

function failed({ name, command }: Pick<ProgramCall, 'name' | 'command'>, why: string): CodedError {
  return new CodedError('PLUGIN_FAILED', `the token program of ${name} (${command}) ${why}`, {
    provider: name,
  });
}
