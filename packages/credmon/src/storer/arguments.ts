// The storer's command line, and the program that started it.
import { parseArgs } from 'node:util';
import { CodedError, messageOf, systemCode } from '@credmon/core/base';
import { parseRequest, type StoreRequest } from './request.ts';
import { readFileSync } from 'node:fs';

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
