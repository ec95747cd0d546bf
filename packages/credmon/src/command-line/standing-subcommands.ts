// The arguments of `standing` and `token`: tokens that belong to no job.
import { wholeSeconds } from '@credmon/core/base';
import type { Argv } from 'yargs';
import { common, type CommonFlags, type Subcommand } from './command.ts';

/** Adds `standing login` and `standing list`; `choose` gets the chosen one. */
export function addStanding(
  parser: Argv<CommonFlags>,
  choose: (command: Subcommand) => void,
): void {
  parser.command('standing', 'tokens for services, not for jobs', (standing) =>
    standing
      .command(
        'login <token>',
        'log in by device code for a standing token of a login provider',
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
    'issue one token by the rules of a provider, without configuring a standing token',
    (token) =>
      token
        .positional('provider', {
          type: 'string',
          demandOption: true,
          describe: 'name of a local provider or of a client-credentials provider',
        })
        .option('audience', { ...several, describe: 'audience; may be repeated' })
        .option('scope', {
          ...several,
          describe: "scope; may be repeated (default: all scopes of the provider's rules)",
        })
        .option('subject', {
          type: 'string',
          requiresArg: true,
          describe: 'subject; required for root (default: the calling user)',
        })
        .option('lifetime', {
          type: 'string',
          requiresArg: true,
          coerce: (value: unknown) => wholeSeconds('--lifetime', value),
          describe: "lifetime in seconds, at most the provider's lifetime",
        })
        .option('output', {
          type: 'string',
          requiresArg: true,
          describe: 'file for the token, mode 0600',
        })
        .option('owner', {
          type: 'string',
          requiresArg: true,
          describe: 'owner of the file (root only)',
        })
        .option('print', {
          type: 'boolean',
          default: false,
          describe: 'print the token even if standard output is a terminal',
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
