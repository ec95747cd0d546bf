// Parses the command line: the daemon's flags exactly as condor_master gives them, and
// the subcommands.
import yargs, { type Argv } from 'yargs';
import { DEFAULT_NAME, common, type Command, type CommonFlags } from './command.ts';
import { distance, nearest } from '@credmon/core/base';
import { VERBS, addSubcommands } from './subcommands.ts';
import { examplesOf } from './user-token-subcommands.ts';

const USAGE =
  '$0 [options]\n\n' +
  'Renews the access tokens in the credential directory before they expire. Runs in the ' +
  'foreground, as condor_master starts it.';

/**
 * Parses the arguments after the program's name. Never exits and never prints: help,
 * version and usage errors are returned as text with the exit code (usage errors: 2, on
 * standard error).
 */
export async function parseArguments(argv: readonly string[], version: string): Promise<Command> {
  let command: Command | undefined;
  let printed = '';
  let usageError: string | undefined;
  const choose = (chosen: Command): void => {
    command = chosen;
  };
  const parser = withCommonOptions(version);
  addDaemon(parser, choose);
  addSubcommands(parser, choose).fail((message, error) => {
    const text = message || (error instanceof Error ? error.message : 'invalid arguments');
    usageError ??= choiceError(text) ?? text;
  });
  await parser.parseAsync([...argv], {}, (_error: unknown, _values: unknown, output: string) => {
    printed = output;
  });
  if (usageError !== undefined) {
    const usage = await usageOf(subcommandIn(argv), version);
    const text = `condor_credmon: ${usageError}${suggestion(argv, usageError)}\n\n${usage}`;
    return { kind: 'text', text, exitCode: 2, toStderr: true };
  }
  return command ?? { kind: 'text', text: printed, exitCode: 0, toStderr: false };
}

/**
 * Returns the help of a subcommand. The parser that failed is already inside one; its own
 * help would be mixed.
 */
async function usageOf(words: readonly string[], version: string): Promise<string> {
  let help = '';
  await commandLine(version).parseAsync([...words, '--help'], {}, (_error, _values, output) => {
    help = output;
  });
  return help;
}

/** Returns the declaration of the command line; it runs nothing. */
export function commandLine(version: string): Argv<CommonFlags> {
  const nothing = (): void => undefined;
  const parser = withCommonOptions(version);
  addDaemon(parser, nothing);
  return addSubcommands(parser, nothing);
}

/**
 * Returns the subcommand at the start of the arguments, in words; empty for the daemon.
 */
function subcommandIn(argv: readonly string[]): string[] {
  const [word = '', verb = ''] = argv;
  const verbs = VERBS[word];
  if (verbs === undefined) return [];
  return verbs.includes(verb) ? [word, verb] : [word];
}

/** Returns the parser's message about a value that is not one of the choices, in a line. */
function choiceError(message: string): string | undefined {
  const [, option, given = '', choices = ''] =
    /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message) ?? [];
  if (option === undefined) return undefined;
  const near = nearest(given, choices.split(', '));
  const meant = near === undefined ? '' : `; did you mean ${near}?`;
  return `${given} is not a valid value of --${option} (one of: ${choices})${meant}`;
}

/** Suggests the probable subcommand for a misspelt one. */
function suggestion(argv: readonly string[], usageError: string): string {
  const words = subcommandIn(argv);
  const written = argv[words.length] ?? '';
  if (written.startsWith('-') || !usageError.includes(written) || written === '') return '';
  const names = words.length === 0 ? Object.keys(VERBS) : (VERBS[words[0] ?? ''] ?? []);
  const near = names.find((name) => distance(written, name) <= 2);
  return near === undefined ? '' : `; did you mean ${[...words, near].join(' ')}?`;
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
    .option('cred-dir', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: 'credential directory',
    })
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
        .epilogue(examplesOf(''))
        .option('log-file', { alias: 'l', type: 'string', requiresArg: true, describe: 'log file' })
        .option('debug', {
          alias: 'd',
          type: 'boolean',
          default: false,
          describe: 'log debug messages',
        })
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
