// Runs other programs for the storer. Secrets go through pipes, never through arguments
// or the environment.
import { spawn, type StdioOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { CodedError, systemCode } from '@credmon/core/base';

/**
 * The result of a program: its standard output, and its exit code (128 + n after a
 * signal); `errors` is its collected standard error.
 */
export interface ProgramResult {
  readonly code: number;
  readonly output: string;
  readonly errors?: string;
}

/**
 * Runs a program. `input` is its standard input; without it, the program shares the
 * storer's. Its standard error is `stderr`, a descriptor, or is collected.
 * @throws CodedError `PROGRAM_FAILED` when it is not installed
 */
export type Run = (
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly stderr: number | 'collect' },
) => Promise<ProgramResult>;

/** {@link Run} with processes from PATH. */
export const runProgram: Run = async (program, args, { input, stderr }) => {
  const errorPipe = stderr === 'collect' ? 'pipe' : stderr;
  const stdio: StdioOptions = [input === undefined ? 'inherit' : 'pipe', 'pipe', errorPipe];
  const child = spawn(program, args, { stdio });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(program, error)));
    child.on('close', (code) => resolve(code ?? 128));
  });
  // A program may exit before it has read its input; its exit code decides.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const [code, output, errors] = await Promise.all([
    ended,
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  return { code, output, errors };
};

/**
 * Returns the absolute path of a program: the first executable file of that name in the
 * directories of `path` (a value of PATH), then in `folders`; `undefined` when there is
 * none.
 */
export function findProgram(
  program: string,
  path: string,
  folders: readonly string[],
): string | undefined {
  return [...path.split(delimiter), ...folders]
    .filter((folder) => folder !== '')
    .map((folder) => resolve(folder, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

function notStarted(program: string, error: Error): CodedError {
  const code = systemCode(error);
  const why =
    code === 'ENOENT'
      ? 'is not installed (it is not in PATH)'
      : `cannot be started (${code ?? error.name})`;
  return new CodedError('PROGRAM_FAILED', `${program} ${why}`, { program }, error);
}
