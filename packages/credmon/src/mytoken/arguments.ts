// The command line of condor_credmon_mytoken. Pure.
import { isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';
import { CodedError, messageOf, secureEndpoint, wholeSeconds } from '@credmon/core/base';
import { isCredName } from '@credmon/core/credential';

/**
 * The options. `server`: the mytoken server's URL without a slash at the end. `issuer`:
 * the OpenID provider, if a mytoken must be for this one. `file`: where the mytoken is
 * instead of `.top`, with `{user}`, `{service}` and `{handle}` for parts of the request.
 * `seconds`: time limit of the requests for tokens together.
 */
export interface MytokenOptions {
  readonly kind: 'obtain' | 'redeem';
  readonly server: string;
  readonly issuer: string | undefined;
  readonly file: string | undefined;
  readonly caFile: string | undefined;
  readonly seconds: number;
  readonly allowLoopbackHttp: boolean;
}

const DEFAULT_SECONDS = 15;

const USAGE: string = `usage: condor_credmon_mytoken --server URL [options]

A token program for EXEC_CREDMON_<PROVIDER>_COMMAND. It reads condor_credmon's
request from standard input and prints an access token from a mytoken server.
The mytoken is in the credential that the user has stored, or in a file.

  --server URL            the mytoken server, for example https://mytok.eu
  --issuer URL            reject mytokens of other OpenID providers
  --mytoken-file FILE     read the mytoken from FILE, and store a rotated one
                          there; {user}, {service} and {handle} are replaced
  --redeem                read a transfer code from standard input, store its
                          mytoken in FILE, and exit
  --timeout SECONDS       time limit of the requests for tokens [${DEFAULT_SECONDS}]; the
                          program needs at most 10 s more
  --ca-file FILE          also trust these certificate authorities (PEM)
  --allow-loopback-http   allow http for a server on this machine
  --version               print the version
  -h, --help              print this help`;

/**
 * Parses the arguments; help and version are returned as text. @throws CodedError `USAGE`
 */
export function parseMytokenArguments(
  argv: readonly string[],
  version: string,
): MytokenOptions | { readonly kind: 'text'; readonly text: string } {
  const values = parsed(argv);
  if (values.help) return { kind: 'text', text: USAGE };
  if (values.version) return { kind: 'text', text: version };
  const { server, issuer, redeem, timeout } = values;
  const file = values['mytoken-file'];
  const allowLoopbackHttp = values['allow-loopback-http'];
  if (server === undefined) throw usage('--server is missing');
  if (file !== undefined && !isAbsolute(file)) throw usage('--mytoken-file: not an absolute path');
  if (redeem && (file === undefined || /[{}]/.test(file)))
    throw usage('--redeem needs --mytoken-file with the whole path, without {...}');
  return {
    kind: redeem ? 'redeem' : 'obtain',
    server: secureEndpoint(server, '--server', allowLoopbackHttp).href.replace(/\/+$/, ''),
    issuer,
    file,
    caFile: values['ca-file'],
    seconds: timeout === undefined ? DEFAULT_SECONDS : wholeSeconds('--timeout', timeout, 1),
    allowLoopbackHttp,
  };
}

interface Values {
  readonly help: boolean;
  readonly version: boolean;
  readonly redeem: boolean;
  readonly 'allow-loopback-http': boolean;
  readonly server?: string | undefined;
  readonly issuer?: string | undefined;
  readonly timeout?: string | undefined;
  readonly 'mytoken-file'?: string | undefined;
  readonly 'ca-file'?: string | undefined;
}

function parsed(argv: readonly string[]): Values {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
        redeem: { type: 'boolean', default: false },
        'allow-loopback-http': { type: 'boolean', default: false },
        server: { type: 'string' },
        issuer: { type: 'string' },
        timeout: { type: 'string' },
        'mytoken-file': { type: 'string' },
        'ca-file': { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw usage(messageOf(error));
  }
}

function usage(problem: string): CodedError {
  return new CodedError('USAGE', `${problem}\n\n${USAGE}`);
}

/**
 * Returns the path of a mytoken for a request: the names are part of file names only.
 * @throws CodedError `CRED_NAME_INVALID` for a name that could lead to another directory
 */
export function mytokenPath(
  template: string,
  names: { readonly user: string; readonly service: string; readonly handle: string },
): string {
  return template.replaceAll(/\{(user|service|handle)\}/g, (_, name: keyof typeof names) => {
    const value = names[name];
    if (value === '' && name === 'handle') return '';
    if (!isCredName(value))
      throw new CodedError('CRED_NAME_INVALID', `invalid ${name} in the request`);
    return value;
  });
}
