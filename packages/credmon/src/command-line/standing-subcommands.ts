// The arguments of `standing` and `token`: tokens that belong to no job.
import { wholeSeconds } from '@credmon/core/base';
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

/** Adds `token`. */
export function addToken(parser: Argv<CommonFlags>, choose: (command: Subcommand) => void): void {
  const several = { type: 'string', array: true, nargs: 1, default: [] as string[] } as const;
  parser.command(
    'token <provider>',
    'issue one token by the rules of a provider, for an entry that is not configured',
    (token) =>
      token
        .positional('provider', {
          type: 'string',
          demandOption: true,
          describe: 'local issuer, or client with credentials of its own',
        })
        .option('audience', { ...several, describe: 'audience; may be repeated' })
        .option('scope', {
          ...several,
          describe: "scope; may be repeated (default: what the provider's rules give)",
        })
        .option('subject', {
          type: 'string',
          requiresArg: true,
          describe: 'subject (default: the calling user, but for root)',
        })
        .option('lifetime', {
          type: 'string',
          requiresArg: true,
          coerce: (value: unknown) => wholeSeconds('--lifetime', value),
          describe: "seconds, at most the provider's lifetime",
        })
        .option('output', {
          type: 'string',
          requiresArg: true,
          describe: 'file for the token, mode 0600',
        })
        .option('owner', {
          type: 'string',
          requiresArg: true,
          describe: 'user to whom the file is given',
        })
        .option('print', {
          type: 'boolean',
          default: false,
          describe: 'print the token, also on a terminal',
        })
        .option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
    (values) => {
      const { provider, audience, scope, subject, lifetime, output, owner, print, json } = values;
      choose({
        kind: 'token',
        ...common(values),
        provider,
        audience,
        scopes: scope,
        subject,
        lifetime,
        output,
        owner,
        print,
        json,
      });
    },
  );
}
