// The arguments of the subcommands about tokens of users.
import {
  type CommonFlags,
  SORT_KEYS,
  STATES,
  type SelectedState,
  type Subcommand,
  common,
} from './command.ts';
import { COMMON_EXITS, EXITS } from './exit-codes.ts';
import examples from './examples.json' with { type: 'json' };
import { durationOf, wholeSeconds } from '@credmon/core/base';
import type { Argv } from 'yargs';

/** The parser with the options of every command. */
export type Parser = Argv<CommonFlags>;
/** Receives the command that was chosen. */
export type Choose = (command: Subcommand) => void;

/**
 * Returns the end of a command's help: the exit codes, and examples that can be pasted as
 * they are.
 */
export function examplesOf(words: keyof typeof examples): string {
  const lines = examples[words].map(([line = '', text = '']) => `  # ${text}\n  ${line}`);
  return `${exitsOf(words)}Examples:\n${lines.join('\n')}`;
}

function exitsOf(words: string): string {
  const found = EXITS[words];
  if (found === undefined) return '';
  const all = Object.entries({ ...COMMON_EXITS, ...found });
  return `Exit codes:\n${all.map(([code, text]) => `  ${code.padEnd(3)} ${text}`).join('\n')}\n\n`;
}

/** The option of every command that prints data. */
export const json = { type: 'boolean', default: false, describe: 'print JSON' } as const;

/** Adds `status`. */
export function addStatus(parser: Parser, choose: Choose): void {
  parser.command(
    'status',
    'list the tokens: owner, provider, state, expiry, next renewal, last error',
    (status) =>
      status
        .epilogue(examplesOf('status'))
        .option('json', json)
        .option('user', { type: 'string', requiresArg: true, describe: "only this user's tokens" })
        .option('state', {
          type: 'string',
          array: true,
          nargs: 1,
          choices: STATES,
          default: [] as SelectedState[],
          defaultDescription: 'all',
          describe: 'only tokens in this state; may be repeated',
        })
        .option('provider', {
          type: 'string',
          requiresArg: true,
          describe: 'only tokens of this provider, or of this kind of provider',
        })
        .option('expiring-within', {
          type: 'string',
          requiresArg: true,
          coerce: (value: unknown) => durationOf('--expiring-within', value),
          describe: 'only tokens that expire within this time: 600, 10m, 2h, 1d',
        })
        .option('sort', {
          type: 'string',
          requiresArg: true,
          choices: SORT_KEYS,
          describe: 'sort by this column (default: owner, then service)',
        })
        .option('watch', {
          type: 'string',
          coerce: (value: unknown) =>
            value === '' ? WATCH_SECONDS : wholeSeconds('--watch', value, 1),
          describe: `print again every SECONDS (${WATCH_SECONDS} if none are given), until Ctrl-C`,
        })
        .usage(STATUS_USAGE),
    (values) => {
      const { json: asJson, user, watch, state: states, provider, expiringWithin, sort } = values;
      const selection = { states, provider, expiringWithin, sort };
      choose({ kind: 'status', ...common(values), json: asJson, user, selection, watch });
    },
  );
}

/** Default seconds between two looks of `--watch`. */
const WATCH_SECONDS = 2;

const STATUS_USAGE =
  '$0 status\n\n' +
  'Lists the tokens: owner, provider, state, expiry, next renewal, last error. A user ' +
  "without access to the credential directory sees this user's tokens.";

/** Adds `explain`. */
export function addExplain(parser: Parser, choose: Choose): void {
  parser.command(
    'explain <user> <service>',
    "show everything that decides a token's next step",
    (explain) =>
      explain
        .epilogue(examplesOf('explain'))
        .usage(EXPLAIN_USAGE)
        .positional('user', { type: 'string', demandOption: true })
        .positional('service', {
          type: 'string',
          demandOption: true,
          describe: 'service, or service_handle',
        })
        .option('handle', {
          type: 'string',
          requiresArg: true,
          describe: 'handle of the token, if the service does not include it',
        })
        .option('json', json),
    (values) => {
      const { user, service, handle, json: asJson } = values;
      choose({ kind: 'explain', ...common(values), json: asJson, user, service, handle });
    },
  );
}

const EXPLAIN_USAGE =
  '$0 explain <user> <service>\n\n' +
  'Shows the files of a token, its provider, when it is due and why, failed renewals ' +
  'and the next attempt, and who must act. Changes nothing and sends nothing to an ' +
  'issuer. A user without access to the credential directory sees what the daemon last ' +
  'wrote for this user.';

/** Adds `usable`. */
export function addUsable(parser: Parser, choose: Choose): void {
  parser.command(
    'usable <user> <service>',
    'exit with 0 if the token is valid long enough',
    (usable) =>
      usable
        .epilogue(examplesOf('usable'))
        .positional('user', { type: 'string', demandOption: true })
        .positional('service', {
          type: 'string',
          demandOption: true,
          describe: 'service, or service_handle',
        })
        .option('seconds', {
          type: 'string',
          requiresArg: true,
          default: '0',
          coerce: (value: unknown) => wholeSeconds('--seconds', value),
          describe: 'required remaining lifetime in whole seconds',
        }),
    (values) => {
      const { user, service, seconds } = values;
      choose({ kind: 'usable', ...common(values), user, service, seconds });
    },
  );
}

/** Adds `renew`. */
export function addRenew(parser: Parser, choose: Choose): void {
  parser.command(
    'renew <user> <service>',
    'ask the running daemon to renew a token now (root, or that user)',
    (renew) =>
      renew
        .epilogue(examplesOf('renew'))
        .usage(RENEW_USAGE)
        .positional('user', { type: 'string', demandOption: true })
        .positional('service', {
          type: 'string',
          demandOption: true,
          describe: 'service, or service_handle',
        })
        .option('timeout', {
          type: 'string',
          requiresArg: true,
          default: '60',
          coerce: (value: unknown) => wholeSeconds('--timeout', value, 1),
          describe: 'seconds to wait for the result',
        })
        .option('json', json),
    (values) => {
      const { user, service, timeout, json: asJson } = values;
      choose({ kind: 'renew', ...common(values), json: asJson, user, service, timeout });
    },
  );
}

const RENEW_USAGE =
  '$0 renew <user> <service>\n\n' +
  'Asks the running daemon to renew a token now, even if the token is not due, and ' +
  'waits for the result. The command itself sends nothing to an issuer. A token that is ' +
  'not due is renewed once a minute at most.';

/** Adds `revoke`. */
export function addRevoke(parser: Parser, choose: Choose): void {
  parser.command(
    'revoke <user> [service]',
    "revoke a user's tokens at their issuers, and remove them",
    (revoke) =>
      revoke
        .epilogue(examplesOf('revoke'))
        .positional('user', { type: 'string', demandOption: true })
        .positional('service', {
          type: 'string',
          describe: 'service, or service_handle (default: all)',
        })
        .option('dry-run', {
          type: 'boolean',
          default: false,
          describe: 'show what would be removed and revoked, and do nothing',
        })
        .option('yes', {
          alias: 'y',
          type: 'boolean',
          default: false,
          describe: 'do not ask for confirmation on a terminal',
        })
        .option('json', json),
    (values) => {
      const { user, service, dryRun, yes, json: asJson } = values;
      choose({ kind: 'revoke', ...common(values), json: asJson, user, service, dryRun, yes });
    },
  );
}
