// Runs a site's own token program: JSON in, JSON out, no shell, a clean environment, and bounds on time and output.
import { spawn } from 'node:child_process';
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { CodedError, harmless, shellWord, systemCode } from '@credmon/core';

/** A program with its arguments; `seconds` is how long it may run. */
export interface ProgramCall {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  readonly input: string;
}

/** What a program said. `complaint` is its last line on standard error, made harmless. */
export interface ProgramAnswer {
  readonly exit: number | null;
  readonly output: string;
  readonly complaint: string;
}

/** Runs a program to its end. */
export type RunProgram = (call: ProgramCall) => Promise<ProgramAnswer>;

/** A token program's answer is small, in bytes. */
const LARGEST_OUTPUT = 256 * 1024;
/** Only the end of what a program complains of is kept, in bytes. */
const LONGEST_COMPLAINT = 4096;

/** Nothing of the daemon's own environment. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/', LANG: 'C.UTF-8' };

/**
 * Runs the program and reads its whole answer.
 * @throws CodedError `PLUGIN_REFUSED` when it may not or cannot be started; `PLUGIN_FAILED` when it takes too long or says too much
 */
export const runProgram: RunProgram = async (call) => {
  checkProgram(call);
  return new Promise((resolve, reject) => {
    const child = spawn(call.command, call.args, {
      cwd: '/',
      env: ENVIRONMENT,
      shell: false,
      // Its own process group: what it started ends with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    let size = 0;
    let complaint = '';
    let broken: string | undefined;
    const end = (why?: string): void => {
      broken ??= why;
      if (child.pid !== undefined) killGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const timer = setTimeout(() => end(`did not answer within ${call.seconds} s`), call.seconds * 1000);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_OUTPUT) end(`wrote more than ${LARGEST_OUTPUT} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-LONGEST_COMPLAINT);
    });
    child.stdin.on('error', () => {
      // A program need not read what it is given; its answer decides.
    });
    child.stdin.end(call.input);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(refused(call, `cannot be started (${systemCode(error) ?? 'unknown'})`));
    });
    // What the program left running in its group must not hold the answer back.
    child.on('exit', () => {
      if (child.pid !== undefined) killGroup(child.pid);
    });
    child.on('close', (exit) => {
      clearTimeout(timer);
      if (broken !== undefined) reject(failed(call, broken));
      else resolve({ exit, output: Buffer.concat(output).toString('utf8'), complaint: lastLine(complaint) });
    });
  });
};

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}

function lastLine(text: string): string {
  return harmless(text.trim().split('\n').at(-1) ?? '');
}

/**
 * Whoever can change the program or its directory gets every user's tokens.
 * @throws CodedError `PLUGIN_REFUSED`
 */
export function checkProgram(call: Pick<ProgramCall, 'name' | 'command'>): void {
  let path: string;
  try {
    path = realpathSync(call.command);
  } catch (error) {
    throw refused(call, `cannot be found (${systemCode(error) ?? 'unknown'})`);
  }
  if (!statSync(path).isFile()) throw refused(call, 'is not a regular file');
  for (const one of [path, path.slice(0, path.lastIndexOf('/')) || '/']) {
    const { mode, uid } = lstatSync(one);
    const writable = (mode & 0o022) !== 0;
    if (writable || (uid !== 0 && uid !== process.geteuid?.()))
      throw refused(
        call,
        `is not safe: others could change it; to mend it: chown root ${shellWord(one)} && chmod go-w ${shellWord(one)}`,
      );
  }
}

function refused({ name, command }: Pick<ProgramCall, 'name' | 'command'>, why: string): CodedError {
  return new CodedError('PLUGIN_REFUSED', `the token program of ${name} (${command}) ${why}`, {
    provider: name,
  });
}

function failed({ name, command }: ProgramCall, why: string): CodedError {
  return new CodedError('PLUGIN_FAILED', `the token program of ${name} (${command}) ${why}`, {
    provider: name,
  });
}
