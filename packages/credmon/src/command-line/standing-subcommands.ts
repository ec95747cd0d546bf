// The arguments of `standing`.
import type { Argv } from 'yargs';
import { common, type CommonFlags, type Subcommand } from './command.ts';

/** Adds `standing login` and `standing list`; `choose` gets the chosen one. */
export function addStanding(
  parser: Argv<CommonFlags>,
  choose: (command: Subcommand) => void,
): void {
  parser.command('standing', 'tokens of services that belong to no job', (standing) =>
    standing
      .command(
        'login <token>',
        'log in by device code for a standing token that is renewed from a login',
        (login) =>
          login.positional('token', {
            type: 'string',
            demandOption: true,
            describe: 'name in CREDMON_STANDING_TOKENS',
          }),
        (values) => choose({ kind: 'standing-login', ...common(values), token: values.token }),
      )
      .command(
        'list',
        'names, providers, states and files',
        (list) => list.option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
        (values) => choose({ kind: 'standing-list', ...common(values), json: values.json }),
      )
      .demandCommand(1, 1, 'missing subcommand: list, or login and a name'),
  );
}
