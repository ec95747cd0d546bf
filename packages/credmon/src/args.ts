// The command line: flags of the daemon exactly as condor_master gives them, and the subcommands.
import yargs, { type Argv } from 'yargs';
import { DEFAULT_NAME, common, type Command, type CommonFlags } from './command.ts';
import { addSubcommands } from './subcommands.ts';

const USAGE = `$0 [options]

Keeps the access tokens in the credential directory fresh. Runs in the foreground, as condor_master starts it.`;

/**
 * Reads the arguments after the program's name. Never exits and never prints: help, version and misuse come back as text with the
 * exit code (misuse: 2, on standard error).
 */
export async function parseArguments(argv: readonly string[], version: string): Promise<Command> {
  let command: Command | undefined;
  let printed = '';
  let misuse: string | undefined;
  const choose = (chosen: Command): void => {
    command = chosen;
  };
  const parser = withCommonOptions(version);
  addDaemon(parser, choose);
  addSubcommands(parser, choose).fail((message, error) => {
    misuse ??= message || (error instanceof Error ? error.message : 'unusable arguments');
  });
  await parser.parseAsync([...argv], {}, (_error: unknown, _values: unknown, output: string) => {
    printed = output;
  });
  if (misuse !== undefined) {
    // The parser that failed has already stepped into a subcommand; its own help would be that of a mixture.
    const fresh = withCommonOptions(version);
    addDaemon(fresh, choose);
    const usage = await addSubcommands(fresh, choose).getHelp();
    return { kind: 'text', text: `condor_credmon: ${misuse}\n\n${usage}`, exitCode: 2, toStderr: true };
  }
  return command ?? { kind: 'text', text: printed, exitCode: 0, toStderr: false };
}

function withCommonOptions(version: string): Argv<CommonFlags> {
  return yargs([])
    .scriptName('condor_credmon')
    .usage(USAGE)
    .exitProcess(false)
    .strict()
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(80)
    .option('name', {
      alias: 'n',
      type: 'string',
      requiresArg: true,
      default: DEFAULT_NAME,
      describe: 'subsystem name for knob look-ups',
    })
    .option('cred-dir', { alias: 'c', type: 'string', requiresArg: true, describe: 'credential directory' })
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'root configuration file (CONDOR_CONFIG)',
    });
}

function addDaemon(parser: Argv<CommonFlags>, choose: (command: Command) => void): void {
  parser.command(
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
      choose({ kind: 'daemon', ...common(values), logFile, debug, verbose, once });
    },
  );
}
