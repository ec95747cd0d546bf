// Runs condor_store_cred: queries and stores credentials; their text goes through
// standard input.
import { CodedError } from '@credmon/core/base';
import { stemOf } from '@credmon/core/credential';
import type { Run } from './programs.ts';
import type { StoreRequest } from './arguments.ts';

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
