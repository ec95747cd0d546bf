// A Vault login: htgettoken gets the Vault token and the URL for access tokens; both are
// stored.
import { CodedError } from '@credmon/core/base';
import type { Run, StoreCred } from './programs.ts';
import { needsTerminal } from './device-login.ts';
import type { StoreRequest } from './arguments.ts';
import type { PelicanSettings } from './settings.ts';

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
  if (code === 127) throw failed('htgettoken is not installed (it is not in PATH)', code);
  if (code !== 0 && !interactive) throw needsTerminal(request);
  if (code !== 0)
    throw failed(`htgettoken failed for ${request.service} (exit code ${code})`, code);
  const vaultUrl = lines.findLast((line) => /^https:\/\/\S+$/.test(line));
  const vaultToken = lines.findLast((line) => line !== vaultUrl && /^[!-~]+$/.test(line));
  if (vaultUrl === undefined || vaultToken === undefined)
    throw failed(
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

function failed(what: string, code: number): CodedError {
  return new CodedError('PROGRAM_FAILED', what, { program: 'htgettoken', code });
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
    throw new CodedError(
      'PROGRAM_FAILED',
      `pelican returned no token for ${service} (exit code ${code})`,
      {
        program: 'pelican',
        code,
      },
    );
  await context.storeCred.add(request, { access_token: token });
}
