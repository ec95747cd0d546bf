// The command line: flags of the server, help, version and misuse as values; nothing is printed and nothing exits here.
import yargs from 'yargs';
import { parseListenAddress } from './settings/listen-address.ts';
import type { ListenAddress } from './settings/settings.ts';

/** What the command line asks for. `configFile` stands for CONDOR_CONFIG. */
export type Command =
  | {
      readonly kind: 'serve' | 'check';
      readonly json: boolean;
      readonly configFile: string | undefined;
      readonly listen: ListenAddress | undefined;
    }
  | { readonly kind: 'text'; readonly text: string; readonly exitCode: 0 | 2 };

/** Reads the arguments after the program's name. */
export async function parseArguments(argv: readonly string[], version: string): Promise<Command> {
  let printed = '';
  let misuse: string | undefined;
  let listen: ListenAddress | undefined;
  const parser = yargs([...argv])
    .scriptName('condor_credmon_webserver')
    .usage(
      '$0 [options]\n\nThe web portal where users of condor_submit sign in to token providers. Runs in the foreground.',
    )
    .exitProcess(false)
    .strict()
    .version(version)
    .help()
    .alias('h', 'help')
    .wrap(80)
    .option('config', {
      type: 'string',
      requiresArg: true,
      describe: 'root configuration file (CONDOR_CONFIG)',
    })
    .option('listen', { type: 'string', requiresArg: true, describe: 'HOST:PORT, unix:/path or fd:N' })
    .option('check', {
      type: 'boolean',
      default: false,
      describe: 'look at everything that is needed, and exit',
    })
    .option('json', { type: 'boolean', default: false, implies: 'check', describe: 'print findings as JSON' })
    .demandCommand(0, 0)
    .check(({ listen: text }) => {
      if (text === undefined) return true;
      const address = parseListenAddress(text);
      if (address.kind === 'wrong') throw new Error(`--listen ${text}: ${address.why}`);
      listen = address;
      return true;
    })
    .fail((message, error) => {
      misuse ??= message || (error instanceof Error ? error.message : 'unusable arguments');
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
  return { kind: values.check ? 'check' : 'serve', json: values.json, configFile: values.config, listen };
}
