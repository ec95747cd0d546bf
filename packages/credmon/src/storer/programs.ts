// Runs other programs for the storer: condor_store_cred, and those that give tokens:
// htgettoken and pelican. Secrets go through pipes, never through arguments or the
// environment.
import { type StoreRequest, needsTerminal } from './arguments.ts';
import type { PelicanSettings } from './settings.ts';
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
    throw failed(
      'condor_store_cred',
      `condor_store_cred could not store ${stem} (exit code ${code})`,
      code,
    );
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
        'condor_store_cred',
        isOld
          ? 'this condor_store_cred has no option -P'
          : `condor_store_cred -P failed (exit code ${code})`,
        code,
      );
    },
  };
}

function failed(program: string, what: string, code: number): CodedError {
  return new CodedError('PROGRAM_FAILED', what, { program, code });
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

// A Vault login: htgettoken gets the Vault token and the URL for access tokens; both are
// stored.

/**
 * The ports of a Vault login. `stderr`: a descriptor where htgettoken talks to the user;
 * `interactive`: there is a terminal.
 */
interface VaultLoginContext {
  readonly run: Run;
  readonly storeCred: StoreCred;
  readonly stderr: number;
  readonly interactive: boolean;
}

/**
 * htgettoken needs a path for its output, and the socket pair of a child of Node has
 * none; a shell creates a pipe. The access token goes to descriptor 3 and is discarded.
 */
const THROUGH_PIPE = '{ htgettoken "$@" 3>/dev/null; echo "exit $?"; } | cat';

/**
 * The Vault token is valid for weeks and must not be in a file, so it is printed. The
 * access token is only asked for: without it (`--nobearertoken`) htgettoken does not
 * notice that the refresh token in the Vault is missing or dead, and starts no login.
 * Without a file to read a Vault token from, htgettoken would read its own output.
 * @see https://github.com/fermitools/htgettoken (htgettoken/__init__.py, main)
 */
const OUTPUT_OPTIONS = [
  '--vaulttokeninfile=/nonexistent',
  '--vaulttokenfile=/dev/stdout',
  '--outfile=/dev/fd/3',
  '--showbearerurl',
] as const;

/**
 * Stores the Vault token and URL from htgettoken; for a handle only the URL, with the
 * Vault token under the service's name.
 * @throws CodedError `PROGRAM_FAILED`; without a terminal `LOGIN_NEEDS_TERMINAL`
 */
export async function vaultLogin(
  context: VaultLoginContext,
  request: StoreRequest,
  options: string,
): Promise<void> {
  const { vaultToken, vaultUrl } = await getToken(context, request, options);
  const whole = { vault_token: vaultToken, vault_url: vaultUrl };
  if (request.handle === '') return context.storeCred.add(request, whole);
  const parent = { ...request, handle: '', scopes: '', audience: '', options: '' };
  if ((await context.storeCred.query(parent)) === 'no') await context.storeCred.add(parent, whole);
  return context.storeCred.add(request, { vault_url: vaultUrl });
}

async function getToken(
  { run, stderr, interactive }: VaultLoginContext,
  request: StoreRequest,
  options: string,
): Promise<{ vaultToken: string; vaultUrl: string }> {
  const args = getTokenArguments(request, options, interactive);
  const { output } = await run('sh', ['-c', THROUGH_PIPE, 'htgettoken', ...args], { stderr });
  const lines = output.split('\n').filter((line) => line !== '');
  const code = Number(/^exit (\d+)$/.exec(lines.pop() ?? '')?.[1] ?? '1');
  if (code === 127)
    throw failed('htgettoken', 'htgettoken is not installed (it is not in PATH)', code);
  if (code !== 0 && !interactive) throw needsTerminal(request);
  if (code !== 0)
    throw failed(
      'htgettoken',
      `htgettoken failed for ${request.service} (exit code ${code})`,
      code,
    );
  const vaultUrl = lines.findLast((line) => /^https:\/\/\S+$/.test(line));
  const vaultToken = lines.findLast((line) => line !== vaultUrl && /^[!-~]+$/.test(line));
  if (vaultUrl === undefined || vaultToken === undefined)
    throw failed(
      'htgettoken',
      'htgettoken printed no Vault token and URL; version 1.13 or later is needed',
      code,
    );
  return { vaultToken, vaultUrl };
}

/**
 * Returns the arguments: the administrator's, the issuer (and after `_` the role) from
 * the service's name, the user's, and our own, which decide where the tokens go.
 * @see https://github.com/fermitools/htgettoken (manual page)
 */
export function getTokenArguments(
  { service, options: own }: StoreRequest,
  options: string,
  interactive: boolean,
): string[] {
  const [issuer = '', ...role] = service.split('_');
  const words = [
    ...wordsOf(options),
    '-i',
    issuer,
    ...(role.length === 0 ? [] : ['-r', role.join('_')]),
    ...wordsOf(own.replaceAll(',', ' ')),
  ];
  if (!words.some((word) => word.startsWith('--vaulttokenttl'))) words.push('--vaulttokenttl=28d');
  return [...words, ...OUTPUT_OPTIONS, ...(interactive ? [] : ['--nooidc'])];
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

// A Pelican login: the pelican program gets a first access token, which condor_credmon
// exchanges for a renewable one.

const PERMISSIONS = ['read', 'write', 'modify'];

/**
 * Stores the token from `pelican token fetch`.
 * @throws CodedError `CONFIG_INVALID` without a valid <SERVICE>_PELICAN_URL or
 * _PERMISSIONS; `PROGRAM_FAILED`
 */
export async function pelicanLogin(
  context: { readonly run: Run; readonly storeCred: StoreCred; readonly stderr: number },
  request: StoreRequest,
  { url, permissions }: PelicanSettings,
): Promise<void> {
  const { service } = request;
  if (!/^[a-z]+:\/\/[!-~]+$/.test(url))
    throw new CodedError(
      'CONFIG_INVALID',
      `${service}_PELICAN_URL is not set to a URL; the administrator must set it`,
    );
  const flags = permissions.map((name) => name.toLowerCase());
  if (!flags.every((flag) => PERMISSIONS.includes(flag)))
    throw new CodedError(
      'CONFIG_INVALID',
      `${service}_PELICAN_PERMISSIONS may contain only ${PERMISSIONS.join(', ')}`,
    );
  const args = ['token', 'fetch', ...flags.map((flag) => `--${flag}`), url];
  const { code, output } = await context.run('pelican', args, { stderr: context.stderr });
  const token = output.split('\n').findLast((line) => /^[\w.~+/-]+=*$/.test(line));
  if (code !== 0 || token === undefined)
    throw failed('pelican', `pelican returned no token for ${service} (exit code ${code})`, code);
  await context.storeCred.add(request, { access_token: token });
}
