// Runs other programs for the storer: condor_store_cred and those that give tokens.
// Secrets go through pipes, never through arguments or the environment.
import type { StoreRequest } from './arguments.ts';
import { CodedError, systemCode } from '@credmon/core/base';
import { stemOf } from '@credmon/core/credential';
import { type StdioOptions, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

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

/**
 * The result of a query: CredD has the credential, one with other scopes or another
 * audience, or none.
 */
export type Stored = 'yes' | 'mismatch' | 'no';

/** condor_store_cred with the common options. */
export interface StoreCred {
  query(request: StoreRequest): Promise<Stored>;
  /** @throws CodedError `PROGRAM_FAILED` */
  add(request: StoreRequest, credential: Readonly<Record<string, unknown>>): Promise<void>;
  /**
   * Stores the access token of a login, as JSON or as the bare text, so that jobs need not
   * wait for the first renewal.
   * @throws CodedError `PROGRAM_FAILED`, also if condor_store_cred has no option for it
   * (HTCondor 23.9): condor_credmon then gets another one
   */
  addUse(request: StoreRequest, use: Readonly<Record<string, unknown>> | string): Promise<void>;
}

/** The path of condor_store_cred, or the searched directories. */
export interface StoreCredProgram {
  readonly path: string | undefined;
  readonly searched: readonly string[];
}

/**
 * Creates the port. `options`: SEC_CREDENTIAL_STORECRED_OPTS, for every call; `stderr`: a
 * descriptor for the program's errors.
 */
export function createStoreCred(
  run: Run,
  options: readonly string[],
  stderr: number,
  program: StoreCredProgram = { path: 'condor_store_cred', searched: [] },
): StoreCred {
  const start = (
    args: readonly string[],
    input: string,
    errorsTo: number | 'collect',
  ): ReturnType<Run> => run(pathOf(program), [...args, ...options], { input, stderr: errorsTo });
  const call = async (args: readonly string[], input: string): Promise<number> =>
    (await start(args, input, stderr)).code;
  const add = async (
    request: StoreRequest,
    args: readonly string[],
    value: object,
  ): Promise<void> => {
    const code = await call(['add-oauth', ...args, '-i', '-'], `${JSON.stringify(value)}\n`);
    if (code === 0) return;
    const stem = stemOf(request.service, request.handle);
    throw failed(`condor_store_cred could not store ${stem} (exit code ${code})`, code);
  };
  return {
    query: async (request) => {
      const code = await call(['query-oauth', ...nameOf(request), ...limitsOf(request)], '');
      return code === 0 ? 'yes' : code === 2 ? 'mismatch' : 'no';
    },
    add: (request, credential) =>
      add(request, [...nameOf(request), ...limitsOf(request)], credential),
    addUse: async (request, use) => {
      const args = ['add-oauth', ...nameOf(request), '-P', '-i', '-'];
      const {
        code,
        output,
        errors = '',
      } = await start(args, `${typeof use === 'string' ? use : JSON.stringify(use)}\n`, 'collect');
      if (code === 0) return;
      const isOld = /unrecognized option|unknown option|usage:/i.test(output + errors);
      throw failed(
        isOld
          ? 'this condor_store_cred has no option -P'
          : `condor_store_cred -P failed (exit code ${code})`,
        code,
      );
    },
  };
}

function failed(what: string, code: number): CodedError {
  return new CodedError('PROGRAM_FAILED', what, { program: 'condor_store_cred', code });
}

function pathOf({ path, searched }: StoreCredProgram): string {
  if (path !== undefined) return path;
  throw new CodedError(
    'PROGRAM_FAILED',
    `condor_store_cred is not installed (it is not in PATH, ${searched.join(', ')})`,
    { program: 'condor_store_cred' },
  );
}

function nameOf({ service, handle }: StoreRequest): string[] {
  return ['-s', service, ...(handle === '' ? [] : ['-H', handle])];
}

function limitsOf({ scopes, audience }: StoreRequest): string[] {
  return [...(scopes === '' ? [] : ['-S', scopes]), ...(audience === '' ? [] : ['-A', audience])];
}
