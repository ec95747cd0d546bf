// Parses the command line to a value. Prints nothing and does not exit.
import yargs, { type Argv } from 'yargs';
import { PROXIES, type ProxyName } from '../check/proxy-config.ts';
import { parseListenAddress } from '../settings/addresses.ts';
import type { ListenAddress } from '../settings/settings.ts';

/** A parsed command line. `configFile` replaces CONDOR_CONFIG. */
export type Command =
  | {
      readonly kind: 'serve' | 'check';
      readonly json: boolean;
      readonly configFile: string | undefined;
      readonly listen: ListenAddress | undefined;
    }
  | {
      readonly kind: 'proxy-config';
      readonly proxy: ProxyName;
      readonly configFile: string | undefined;
    }
  | { readonly kind: 'text'; readonly text: string; readonly exitCode: 0 | 2 };

/** The options, as declared to yargs. */
interface Flags {
  readonly config: string | undefined;
  readonly listen: string | undefined;
  readonly check: boolean;
  readonly json: boolean;
  readonly 'print-proxy-config': string | undefined;
}

const USAGE =
  '$0 [options]\n\nThe web portal where users of condor_submit sign in to token providers. Runs in the foreground.';

/** The exit codes without and with `--check`; docs/exit-codes.md and the help say this. */
export const EXITS = {
  '': {
    0: 'stopped by a signal',
    1: 'failed at start: all mistakes are listed, each with file and line',
    2: 'wrong command line',
    44: 'the log cannot be opened',
  },
  '--check': { 0: 'no error', 1: 'at least one ERROR', 2: 'wrong command line' },
} as const;

/** Each example can be pasted as it is. */
const EXAMPLES = `Exit codes:
${Object.entries(EXITS[''])
  .map(([code, text]) => `  ${code.padEnd(3)} ${text}`)
  .join('\n')}
  With --check: 0 ${EXITS['--check'][0]}, 1 ${EXITS['--check'][1]}

Examples:
  # say what is wrong with the configuration
  $0 --check
  # serve on a unix socket, behind nginx or Apache
  $0 --listen unix:/run/condor_credmon_web/socket
  # the lines for the proxy
  $0 --print-proxy-config nginx`;

const TEXT = { type: 'string', requiresArg: true } as const;

/** Parses the arguments after the program name. */
export async function parseArguments(argv: readonly string[], version: string): Promise<Command> {
  let printed = '';
  let misuse: string | undefined;
  let listen: ListenAddress | undefined;
  let proxy: ProxyName | undefined;
  const parser = commandLine(version)
    .check(({ listen: text, check, 'print-proxy-config': name }) => {
      if (name !== undefined) {
        proxy = PROXIES.find((one) => one === name);
        if (!proxy)
          throw new Error(`--print-proxy-config ${name}: must be ${PROXIES.join(' or ')}`);
        if (check || text !== undefined)
          throw new Error('--print-proxy-config cannot be used with --check or --listen');
      }
      if (text === undefined) return true;
      const address = parseListenAddress(text);
      if (address.kind === 'wrong') throw new Error(`--listen ${text}: ${address.why}`);
      listen = address;
      return true;
    })
    .fail((message, error) => {
      misuse ??= message || (error instanceof Error ? error.message : 'invalid arguments');
    });
  const values = await parser.parseAsync(
    [...argv],
    {},
    (_error: unknown, _values: unknown, output: string) => {
      printed = output;
    },
  );
  if (misuse !== undefined)
    return {
      kind: 'text',
      text: `condor_credmon_webserver: ${misuse}\n\n${await parser.getHelp()}`,
      exitCode: 2,
    };
  if (printed !== '') return { kind: 'text', text: printed, exitCode: 0 };
  if (proxy !== undefined) return { kind: 'proxy-config', proxy, configFile: values.config };
  return {
    kind: values.check ? 'check' : 'serve',
    json: values.json,
    configFile: values.config,
    listen,
  };
}

/** Returns the declaration of the command line. */
export function commandLine(version: string): Argv<Flags> {
  return yargs([])
    .scriptName('condor_credmon_webserver')
    .usage(USAGE)
    .exitProcess(false)
    .strict()
    .epilogue(EXAMPLES)
    .version(version)
    .help()
    .alias('h', 'help')
    .wrap(80)
    .option('config', {
      ...TEXT,
      describe: 'root configuration file (CONDOR_CONFIG)',
    })
    .option('listen', {
      ...TEXT,
      describe: 'HOST:PORT, unix:/path or fd:N',
    })
    .option('check', {
      type: 'boolean',
      default: false,
      describe: 'check the configuration and all that it needs, then exit',
    })
    .option('json', {
      type: 'boolean',
      default: false,
      implies: 'check',
      describe: 'print the findings of --check as JSON',
    })
    .option('print-proxy-config', {
      ...TEXT,
      describe: 'print the include file for nginx or apache (CREDMON_WEB_REMOTE_USER_HEADER)',
    })
    .demandCommand(0, 0);
}
