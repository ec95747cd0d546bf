// Runs a site's own token program: JSON in, JSON out, no shell, a clean environment, and
// bounds on time and output.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, shellWord, systemCode, afterAwake } from '@credmon/core/base';
import type { ProgramAnswer, ProgramCall, RunProgram } from '../providers/exec/exec.ts';

/** A token program's answer is small, in bytes. */
const LARGEST_OUTPUT = 256 * 1024;
/** Only the end of what a program complains of is kept, in bytes. */
const LONGEST_COMPLAINT = 4096;

/** Nothing of the daemon's own environment. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/', LANG: 'C.UTF-8' };

/**
 * What a program that has ended wrote before may still be on its way; nobody who holds
 * its pipe open is waited for longer, in seconds.
 */
const GRACE = 0.2;

/**
 * Runs the program and reads its whole answer. A program that takes too long or says too
 * much is ended: the answer then has a `failure` (`PLUGIN_FAILED`) and the output so far.
 * @throws CodedError `PLUGIN_REFUSED` when it may not or cannot be started;
 * `PLUGIN_FAILED` when the system has no means to start it now
 */
export const runProgram: RunProgram = async (call) => {
  const path = checkProgram(call);
  return new Promise((resolve, reject) => {
    const child = start(path, call);
    child.on('error', (error) => reject(notStarted(call, error)));
    // Without file descriptors there are no pipes, whatever the types say; the error
    // event tells why.
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
      // Its own process group: what it started ends with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw notStarted(call, error);
  }
}

/** Reads what a running program says, to its end and a little longer. */
function listen(
  call: ProgramCall,
  child: ChildProcessWithoutNullStreams,
  pid: number,
): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const output: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let broken: string | undefined;
    const end = (why?: string): void => {
      broken ??= why;
      killGroup(pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const cancel = [afterAwake(call.seconds, () => end(`did not answer within ${call.seconds} s`))];
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_OUTPUT) end(`wrote more than ${LARGEST_OUTPUT} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-LONGEST_COMPLAINT);
    });
    child.stdin.on('error', () => {
      // A program need not read what it is given; its answer decides.
    });
    child.stdin.end(call.input);
    child.on('exit', () => {
      // What the program left running in its group must not hold the answer back; nor
      // what left its group.
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
        ...(broken === undefined ? {} : { failure: failed(call, broken) }),
      });
    });
  });
}

/**
 * What the file system says of the program is for the administrator; that the system is
 * short of something passes.
 */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

function notStarted(call: ProgramCall, error: unknown): CodedError {
  const code = systemCode(error) ?? 'unknown';
  const why = `cannot be started (${code})`;
  return SHORTAGES.has(code) ? failed(call, why) : refused(call, why);
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
 * Whoever can change the program or a directory above it gets every user's tokens.
 * @returns the path without links: what was looked at, and nothing else, is to be started
 * @throws CodedError `PLUGIN_REFUSED`, or `PLUGIN_FAILED` when the system cannot look now
 */
export function checkProgram(call: Pick<ProgramCall, 'name' | 'command'>): string {
  try {
    const path = realpathSync(call.command);
    if (!statSync(path).isFile()) throw refused(call, 'is not a regular file');
    if (!isExecutable(path))
      throw refused(call, `is not executable; fix: chmod +x ${shellWord(path)}`);
    for (const one of withParents(path)) {
      const { mode, uid } = lstatSync(one);
      const writable = (mode & 0o022) !== 0;
      if (writable || (uid !== 0 && uid !== process.geteuid?.()))
        throw refused(
          call,
          one === path || one === dirname(path)
            ? `is not safe: others could change it; fix: chown root ${shellWord(one)} && chmod go-w ${shellWord(one)}`
            : `is not safe: others could change ${shellWord(one)}; put it below directories that root alone can change`,
        );
    }
    return path;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    const why = `cannot be found (${code})`;
    throw SHORTAGES.has(code) ? failed(call, why) : refused(call, why);
  }
}

/** The path and every directory above it, down to the root. */
function withParents(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...withParents(above)];
}

function refused(
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
