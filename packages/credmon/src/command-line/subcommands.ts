// The arguments of the subcommands; those about tokens of users are in a file of their own.
import { common } from './command.ts';
import {
  type Choose,
  type Parser,
  addExplain,
  addRenew,
  addRevoke,
  addStatus,
  addUsable,
  examplesOf,
  json,
} from './user-token-subcommands.ts';
import { wholeSeconds } from '@credmon/core/base';

/** Every subcommand with its verbs, if any. */
export const VERBS: Readonly<Record<string, readonly string[]>> = {
  init: [],
  status: [],
  explain: [],
  check: [],
  config: ['dump', 'get'],
  usable: [],
  renew: [],
  revoke: [],
  keys: ['list', 'rotate', 'publish'],
  standing: ['list', 'login'],
  token: [],
};

/** Adds every subcommand; `choose` gets the chosen one. */
export function addSubcommands(parser: Parser, choose: Choose): Parser {
  const adds = [
    addInit,
    addStatus,
    addExplain,
    addCheck,
    addConfig,
    addUsable,
    addRenew,
    addRevoke,
  ];
  for (const add of [...adds, addKeys, addStanding, addToken]) add(parser, choose);
  return parser;
}

function addInit(parser: Parser, choose: Choose): void {
  const text = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
  parser.command(
    'init',
    'write the configuration of a login provider, and check it',
    (init) =>
      init
        .epilogue(examplesOf('init'))
        .usage(INIT_USAGE)
        .option('profile', text('kind of issuer, a name of docs/providers: keycloak, google ...'))
        .option('provider', text('name that users write after use_oauth_services'))
        .option('issuer', text('exact URL of the issuer'))
        .option('client-id', text('client id'))
        .option('secret-file', text('file with the client secret, mode 0600'))
        .option('prefix', text('address of the web portal: https://ap.example.org'))
        .option('output', text('file to write (default: 60-credmon.conf in LOCAL_CONFIG_DIR)'))
        .option('force', {
          type: 'boolean',
          default: false,
          describe: 'replace the file if it exists',
        }),
    (values) => {
      const { profile, provider: its, issuer, clientId, secretFile } = values;
      const { prefix, output, force } = values;
      const given = { profile, provider: its, issuer, clientId, secretFile, prefix };
      choose({ kind: 'init', ...common(values), ...given, output, force });
    },
  );
}

const INIT_USAGE =
  '$0 init\n\n' +
  'Writes the configuration of one login provider, and runs check. On a terminal, it ' +
  'asks for each missing option and for the client secret. The secret is not shown, and is ' +
  'written to its file; a file that exists is not changed. No option takes a secret.';

function addCheck(parser: Parser, choose: Choose): void {
  parser.command(
    'check',
    'check the configuration, providers, keys and tokens; change nothing',
    (check) =>
      check
        .epilogue(examplesOf('check'))
        .option('json', json)
        .option('user', {
          type: 'string',
          requiresArg: true,
          describe: 'show the scopes that local issuers would give this user',
        })
        .option('migrate', {
          type: 'string',
          array: true,
          requiresArg: true,
          conflicts: ['user'],
          describe: 'configuration files of an older credmon: print the new configuration',
        }),
    (values) => {
      const { json: asJson, user, migrate: files } = values;
      if (files) choose({ kind: 'migrate', ...common(values), files });
      else choose({ kind: 'check', ...common(values), json: asJson, user });
    },
  );
}

function addConfig(parser: Parser, choose: Choose): void {
  parser.command('config', 'show the configuration as HTCondor reads it', (config) =>
    config
      .epilogue(examplesOf('config'))
      .command(
        'dump [pattern]',
        'all knobs, or those with names that match a regular expression',
        (dump) =>
          dump
            .epilogue(examplesOf('config dump'))
            .positional('pattern', {
              type: 'string',
              describe: 'regular expression, case-insensitive',
            })
            .option('expanded', {
              type: 'boolean',
              default: false,
              describe: 'expanded values instead of raw text',
            })
            .option('json', json),
        (values) => {
          const { pattern, expanded } = values;
          choose({ kind: 'config-dump', ...common(values), json: values.json, pattern, expanded });
        },
      )
      .command(
        'get <knob>',
        'the value of one knob',
        (get) =>
          get
            .epilogue(examplesOf('config get'))
            .positional('knob', {
              type: 'string',
              demandOption: true,
              describe: 'name of the knob',
            })
            .option('verbose', {
              alias: 'v',
              type: 'boolean',
              default: false,
              describe: 'also print where it is set',
            })
            .option('json', json),
        (values) => {
          const { knob, verbose } = values;
          choose({ kind: 'config-get', ...common(values), json: values.json, knob, verbose });
        },
      )
      .demandCommand(1, 1, 'missing subcommand: dump, or get and a knob'),
  );
}

const provider = {
  type: 'string',
  requiresArg: true,
  describe: 'only the keys of this local provider',
} as const;

function addKeys(parser: Parser, choose: Choose): void {
  parser.command('keys', "the local issuer's signing keys", (keys) =>
    keys
      .epilogue(examplesOf('keys'))
      .command(
        'list',
        'names, states and dates',
        (list) =>
          list.epilogue(examplesOf('keys list')).option('provider', provider).option('json', json),
        (values) =>
          choose({
            kind: 'keys-list',
            ...common(values),
            json: values.json,
            provider: values.provider,
          }),
      )
      .command(
        'rotate',
        'take every step of the rotation that is due; suitable for cron',
        (rotate) =>
          rotate
            .epilogue(examplesOf('keys rotate'))
            .option('provider', provider)
            .option('begin', {
              type: 'boolean',
              default: false,
              describe: 'create a new key that will sign next',
            })
            .option('algorithm', {
              choices: ['ES256', 'RS256'] as const,
              default: 'ES256' as const,
              describe: 'algorithm of a new key',
            })
            .option('json', json),
        (values) => {
          const { json: asJson, provider: its, begin, algorithm } = values;
          choose({
            kind: 'keys-rotate',
            ...common(values),
            json: asJson,
            provider: its,
            begin,
            algorithm,
          });
        },
      )
      .command(
        'publish [directory]',
        'publish the public keys: in the web portal, or as files for another web server',
        (publish) =>
          publish
            .epilogue(examplesOf('keys publish'))
            .positional('directory', {
              type: 'string',
              describe: 'top directory of a static web server',
            })
            .option('provider', provider)
            .option('json', json),
        (values) => {
          const { json: asJson, provider: its, directory } = values;
          choose({
            kind: 'keys-publish',
            ...common(values),
            json: asJson,
            provider: its,
            directory,
          });
        },
      )
      .demandCommand(1, 1, 'missing subcommand: list, rotate or publish'),
  );
}

function addStanding(parser: Parser, choose: Choose): void {
  parser.command('standing', 'tokens for services, not for jobs', (standing) =>
    standing
      .epilogue(examplesOf('standing'))
      .command(
        'login <token>',
        'log in by device code for a standing token of a login provider',
        (login) =>
          login.epilogue(examplesOf('standing login')).positional('token', {
            type: 'string',
            demandOption: true,
            describe: 'name in CREDMON_STANDING_TOKENS',
          }),
        (values) => choose({ kind: 'standing-login', ...common(values), token: values.token }),
      )
      .command(
        'list',
        'names, providers, states and files',
        (list) => list.epilogue(examplesOf('standing list')).option('json', json),
        (values) => choose({ kind: 'standing-list', ...common(values), json: values.json }),
      )
      .demandCommand(1, 1, 'missing subcommand: list, or login and a name'),
  );
}

function addToken(parser: Parser, choose: Choose): void {
  const several = { type: 'string', array: true, nargs: 1, default: [] as string[] } as const;
  parser.command(
    'token <provider>',
    'issue one token by the rules of a provider, without configuring a standing token',
    (token) =>
      token
        .epilogue(examplesOf('token'))
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
        .option('json', json),
    (values) => {
      const { provider, audience, scope: scopes, subject, lifetime } = values;
      const { output, owner, print, json: asJson } = values;
      const asked = { provider, audience, scopes, subject, lifetime, output, owner, print };
      choose({ kind: 'token', ...common(values), ...asked, json: asJson });
    },
  );
}
