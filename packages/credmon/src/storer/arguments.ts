// The storer's command line, and the program that started it. Each credential is one
// argument, `service&handle=H&scopes=a,b&audience=A&options=O`.
import { CodedError, messageOf, systemCode } from '@credmon/core/base';
import { isCredName, stemOf } from '@credmon/core/credential';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** The command. `force`: log in again even if a credential is stored. */
export interface StorerCommand {
  readonly kind: 'store';
  readonly requests: readonly StoreRequest[];
  readonly configFile: string | undefined;
  readonly verbose: boolean;
  readonly force: boolean;
}

export const USAGE = `usage: condor_credential_storer [-v] [--force] [--config FILE] CREDENTIAL ...

CREDENTIAL is SERVICE[&handle=H][&scopes=A,B][&audience=A][&options=O]

Logs in for tokens that jobs use, and stores the credentials with
condor_store_cred. condor_submit runs it (SEC_CREDENTIAL_STORER) for services of
a Vault, of Pelican and for CREDMON_DEVICE_PROVIDER_NAMES; users can run it for
any service with a _CLIENT_ID. Stored credentials are not replaced.

  -v, --verbose   print each step
  --force         log in again even if a credential is stored
  --config FILE   root configuration file (CONDOR_CONFIG)
  --version       print the version
  -h, --help      print this help`;

/**
 * Parses the arguments; help and version are returned as text. @throws CodedError `USAGE`
 */
export function parseStorerArguments(
  argv: readonly string[],
  version: string,
): StorerCommand | { readonly kind: 'text'; readonly text: string } {
  const { values, positionals } = parsed(argv);
  if (values.help) return { kind: 'text', text: USAGE };
  if (values.version) return { kind: 'text', text: version };
  if (positionals.length === 0) throw new CodedError('USAGE', `no service given\n\n${USAGE}`);
  return {
    kind: 'store',
    requests: positionals.map(parseRequest),
    configFile: values.config,
    // -d is the reference's flag for debug output.
    verbose: values.verbose || values.debug,
    force: values.force,
  };
}

interface Values {
  readonly help: boolean;
  readonly version: boolean;
  readonly verbose: boolean;
  readonly debug: boolean;
  readonly force: boolean;
  readonly config: string | undefined;
}

function parsed(argv: readonly string[]): { values: Values; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
        verbose: { type: 'boolean', short: 'v', default: false },
        debug: { type: 'boolean', short: 'd', default: false },
        force: { type: 'boolean', default: false },
        config: { type: 'string' },
      },
    });
    return { values: { ...values, config: values.config }, positionals };
  } catch (error) {
    throw new CodedError('USAGE', `${messageOf(error)}\n\n${USAGE}`);
  }
}

// Who started the storer: condor_submit, which also passes names that are not for it, or
// a person.

/**
 * True when condor_submit started the storer, directly or through DAGMan, the `htcondor`
 * command or HTCondor's Python modules. Since HTCondor 25.14 `mode`
 * (CONDOR_CREDENTIAL_STORER_MODE) shows this; before, only the name of the parent process
 * does.
 */
export function startedBySubmit(mode: string | undefined, parent: string): boolean {
  return mode !== undefined || /^(condor_|htcondor|python)/.test(parent);
}

/**
 * Returns the name of a process, as the kernel has it (at most 15 characters); empty if
 * it cannot be read.
 */
export function processName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}

/** One credential to store. Empty texts mean "not requested". */
export interface StoreRequest {
  readonly service: string;
  readonly handle: string;
  readonly scopes: string;
  readonly audience: string;
  readonly options: string;
}

const FIELDS = ['handle', 'scopes', 'audience', 'options'] as const;

/**
 * Parses one argument. A value may contain `=`, but no `&`.
 * @throws CodedError `USAGE`
 */
export function parseRequest(text: string): StoreRequest {
  const [service = '', ...parts] = text.split('&');
  const found = new Map<string, string>();
  for (const part of parts) {
    const cut = part.indexOf('=');
    const name = part.slice(0, Math.max(0, cut));
    if (!FIELDS.some((field) => field === name) || found.has(name))
      throw usage(
        `${JSON.stringify(part)} in ${JSON.stringify(text)} is not one of ${FIELDS.join(', ')}, each once`,
      );
    found.set(name, part.slice(cut + 1));
  }
  const [handle, scopes, audience, options] = FIELDS.map((field) => found.get(field) ?? '');
  const request = {
    service,
    handle: handle ?? '',
    scopes: scopes ?? '',
    audience: audience ?? '',
    options: options ?? '',
  };
  // A leading "-" would be an option of the called programs.
  for (const name of [service, stemOf(service, request.handle)])
    if (!isCredName(name) || /^[-_]|_$/.test(name))
      throw usage(`${JSON.stringify(name)} is not a valid credential name`);
  return request;
}

/** Returns the argument for this request. */
export function requestText(request: StoreRequest): string {
  const fields = FIELDS.filter((field) => request[field] !== '').map(
    (field) => `&${field}=${request[field]}`,
  );
  return `${request.service}${fields.join('')}`;
}

function usage(what: string): CodedError {
  return new CodedError('USAGE', what);
}

/** Returns the error for a login without a terminal. */
export function needsTerminal(request: StoreRequest): CodedError {
  const stem = stemOf(request.service, request.handle);
  return new CodedError(
    'LOGIN_NEEDS_TERMINAL',
    [
      `${stem} needs a login, and there is no terminal to show it on.`,
      'Log in once by hand on this machine, then submit again:',
      '',
      `    condor_credential_storer '${requestText(request).replaceAll("'", String.raw`'\''`)}'`,
      '',
      'After that, scripts, cron and batch jobs can submit for as long as condor_credmon can renew the token.',
    ].join('\n'),
    { token: stem },
  );
}
