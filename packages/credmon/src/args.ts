// The command line: flags of the daemon exactly as condor_master gives them, and the subcommands.
import yargs from 'yargs';

/** Options of every command. `configFile` stands for CONDOR_CONFIG. */
export interface CommonOptions {
  readonly configFile: string | undefined;
  readonly credDir: string | undefined;
  readonly name: string;
}

/** What the command line asks for. */
export type Command =
  | (CommonOptions & {
      readonly kind: 'daemon';
      readonly logFile: string | undefined;
      readonly debug: boolean;
      readonly verbose: boolean;
      readonly once: boolean;
    })
  | (CommonOptions & { readonly kind: 'status'; readonly json: boolean; readonly user: string | undefined })
  | { readonly kind: 'text'; readonly text: string; readonly exitCode: number; readonly toStderr: boolean };

/** The default subsystem name: the one that condor_master gives this daemon in DAEMON_LIST. */
export const DEFAULT_NAME = 'CREDMON_OAUTH';

/**
 * Reads the arguments after the program's name. Never exits and never prints: help, version and misuse come back as text with the
 * exit code (misuse: 2, on standard error).
 */
export async function parseArguments(argv: readonly string[], version: string): Promise<Command> {
  let command: Command | undefined;
  let printed = '';
  let misuse: string | undefined;
  const parser = yargs([...argv])
    .scriptName('condor_credmon')
    .usage(
      '$0 [options]\n\nKeeps the access tokens in the credential directory fresh. Runs in the foreground, as condor_master starts it.',
    )
    .exitProcess(false)
    .strict()
    .version(version)
    .help()
    .wrap(80)
    .option('name', {
      alias: 'n',
      type: 'string',
      default: DEFAULT_NAME,
      describe: 'subsystem name for knob look-ups',
    })
    .option('cred-dir', { alias: 'c', type: 'string', requiresArg: true, describe: 'credential directory' })
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'root configuration file (CONDOR_CONFIG)',
    })
    .command(
      '$0',
      'run the daemon',
      (daemon) =>
        daemon
          .option('log-file', { alias: 'l', type: 'string', requiresArg: true, describe: 'log file' })
          .option('debug', { alias: 'd', type: 'boolean', default: false, describe: 'log debug messages' })
          .option('verbose', {
            alias: 'v',
            type: 'boolean',
            default: false,
            describe: 'log to standard error too',
          })
          .option('once', { type: 'boolean', default: false, describe: 'make one pass and exit' }),
      (values) => {
        const { logFile, debug, verbose, once } = values;
        command = { kind: 'daemon', ...common(values), logFile, debug, verbose, once };
      },
    )
    .command(
      'status',
      'list the tokens: owner, provider, state, expiry, next renewal, last error',
      (status) =>
        status
          .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
          .option('user', { type: 'string', requiresArg: true, describe: "only this user's tokens" }),
      (values) => {
        const { json, user } = values;
        command = { kind: 'status', ...common(values), json, user };
      },
    )
    .fail((message, error) => {
      misuse ??= message || (error instanceof Error ? error.message : 'unusable arguments');
    });
  await parser.parseAsync([...argv], {}, (_error: unknown, _values: unknown, output: string) => {
    printed = output;
  });
  if (misuse !== undefined) {
    const usage = await parser.getHelp();
    return { kind: 'text', text: `condor_credmon: ${misuse}\n\n${usage}`, exitCode: 2, toStderr: true };
  }
  return command ?? { kind: 'text', text: printed, exitCode: 0, toStderr: false };
}

interface CommonValues {
  readonly name: string;
  readonly credDir: string | undefined;
  readonly config: string | undefined;
}

function common({ name, credDir, config }: CommonValues): CommonOptions {
  return { name: name.toUpperCase(), credDir, configFile: config };
}
