// The command line of `scitokens`: which options each command has, and nothing of what
// they do.
import { wholeSeconds } from '@credmon/core/base';
import yargs, { type Argv } from 'yargs';
import { PROFILES } from '../token/claims.ts';
import { ALGORITHMS } from '../token/algorithms.ts';
import { KEY_FORMS } from '../keys/keys.ts';
import { DEFAULT_POLICY } from '../keys/rotation.ts';
import type { Io } from './io.ts';
import { cacheAdd, cacheList, cacheRemove, cacheUpdate } from './cache-commands.ts';
import { keyConvert, keyCreate, keyList, keyPublish, keyRotate } from './key-commands.ts';
import { misuse, runCommand } from './outcome.ts';
import { tokenAcls, tokenCreate, tokenVerify } from './token-commands.ts';
import { tokenInspect } from './token-source.ts';

const NAME = 'scitokens';
const TOKEN_HELP =
  'the token, @FILE, or - for standard input; without it WLCG bearer token discovery';

/** Runs `scitokens` with the given arguments and returns its exit code. */
export async function scitokens(argv: readonly string[], io: Io): Promise<number> {
  let result = 0;
  const run = async (
    json: boolean | undefined,
    work: () => Promise<void> | void,
  ): Promise<void> => {
    result = await runCommand(NAME, io, json ?? false, work);
  };
  const parser = yargs()
    .scriptName(NAME)
    .usage('$0 <command>: create keys, issue, verify and inspect SciTokens and WLCG tokens')
    .command('key', 'signing keys', (group) => keyGroup(group, io, run))
    .command('token', 'tokens', (group) => tokenGroup(group, io, run))
    .command('cache', "issuers' keys on disk", (group) => cacheGroup(group, io, run))
    .demandCommand(1, 'name a command')
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .strict()
    .version(false)
    .wrap(100)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      // What a reader of an option's value throws arrives as an error of the parser.
      if (error !== undefined && error.name !== 'YError') throw error;
      throw misuse(message ?? error?.message ?? 'wrong arguments');
    });
  const parsed = await runCommand(NAME, io, false, async () => {
    let printed = '';
    await parser.parseAsync([...argv], {}, (_error, _arguments, output) => {
      printed = output;
    });
    if (printed !== '') io.out(`${printed}\n`);
  });
  return parsed === 0 ? result : parsed;
}

type Run = (json: boolean | undefined, work: () => Promise<void> | void) => Promise<void>;

const naming = {
  kid: { type: 'string', describe: 'name of the key' },
  'kid-style': {
    choices: ['python', 'thumbprint'] as const,
    describe: 'how a key without name is named',
  },
  algorithm: { choices: Object.keys(ALGORITHMS), describe: 'default ES256 for new keys' },
} as const;
const writing = {
  form: { choices: KEY_FORMS, describe: 'how it is written' },
  out: { type: 'string', describe: 'file for it (0600 when private) instead of standard output' },
  public: { type: 'string', describe: 'file for the public half as PEM' },
  jwks: { type: 'string', describe: 'file for the public half as JWKS' },
  force: { type: 'boolean', describe: 'replace existing files' },
} as const;

function keyGroup(group: Argv, io: Io, run: Run): Argv {
  return group
    .command(
      'create',
      'make a private key',
      (command) => command.options({ ...naming, ...writing }),
      (args) => run(flag(args), () => keyCreate(args, io)),
    )
    .command(
      'convert <file>',
      'write a key in another form',
      (command) =>
        command
          .positional('file', { type: 'string', demandOption: true })
          .options({ ...naming, ...writing }),
      (args) => run(flag(args), () => keyConvert(args.file, args, io)),
    )
    .command(
      'rotate <directory>',
      'take every step of the rotation that is due',
      (command) =>
        command
          .positional('directory', { type: 'string', demandOption: true })
          .options({ 'kid-style': naming['kid-style'], algorithm: naming.algorithm })
          .option('begin', { type: 'boolean', describe: 'begin a rotation now' })
          .option('publish-lead', {
            ...seconds('--publish-lead', 0),
            describe: `new directory: seconds a key is public before it signs [${DEFAULT_POLICY.publishLead}]`,
          })
          .option('longest-lifetime', {
            ...seconds('--longest-lifetime', 1),
            describe: `new directory: seconds that tokens live at most [${DEFAULT_POLICY.longestLifetime}]`,
          }),
      (args) => {
        const { publishLead, longestLifetime, ...rest } = args;
        const policy = {
          ...(publishLead === undefined ? {} : { publishLead }),
          ...(longestLifetime === undefined ? {} : { longestLifetime }),
        };
        return run(flag(args), () => keyRotate(args.directory, { ...rest, ...policy }, io));
      },
    )
    .command(
      'list <directory>',
      'show the keys of a directory',
      (command) => command.positional('directory', { type: 'string', demandOption: true }),
      (args) => run(flag(args), () => keyList(args.directory, { json: flag(args) }, io)),
    )
    .command(
      'publish <webdir>',
      'write metadata and key set for a web server',
      (command) =>
        command
          .positional('webdir', { type: 'string', demandOption: true })
          .option('issuer', {
            type: 'string',
            demandOption: true,
            describe: 'https URL under which <webdir> is served',
          })
          .option('keys', { type: 'string', describe: 'key directory' })
          .option('key', {
            type: 'string',
            array: true,
            nargs: 1,
            describe: 'key file, instead of a directory',
          })
          .option('kid', naming.kid),
      (args) => run(flag(args), () => keyPublish(args.webdir, { ...args, json: flag(args) }, io)),
    )
    .demandCommand(1, 'name a key command');
}

const verifying = {
  issuer: {
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'trusted issuer; any https one unless given',
  },
  audience: { type: 'string', array: true, nargs: 1, describe: 'our audience' },
  jwks: { type: 'string', describe: "file with the issuer's keys, instead of asking it" },
  key: { type: 'string', describe: "file with the issuer's key, instead of asking it" },
  algorithm: {
    choices: Object.keys(ALGORITHMS),
    array: true,
    nargs: 1,
    describe: 'accepted; ES256 and RS256 unless given',
  },
  leeway: { ...seconds('--leeway', 0), describe: 'seconds that clocks may differ' },
  insecure: { type: 'boolean', describe: 'ask issuers without https too' },
  cache: { type: 'boolean', default: true, describe: "keep issuers' keys on disk" },
} as const;

function tokenGroup(group: Argv, io: Io, run: Run): Argv {
  const withToken = (command: Argv): Argv<{ token: string | undefined }> =>
    command.positional('token', { type: 'string', describe: TOKEN_HELP });
  return group
    .command(
      'create',
      'issue a token',
      (command) =>
        command
          .options({
            ...naming,
            out: {
              type: 'string',
              describe: 'file for the token (0600) instead of standard output',
            },
          })
          .option('key', { type: 'string', describe: 'file with the private key' })
          .option('keys', { type: 'string', describe: 'key directory; its active key signs' })
          .option('issuer', { type: 'string', demandOption: true })
          .option('subject', { type: 'string', demandOption: true })
          .option('scope', {
            type: 'string',
            array: true,
            nargs: 1,
            demandOption: true,
            describe: 'may be repeated',
          })
          .option('audience', {
            type: 'string',
            array: true,
            nargs: 1,
            describe: 'may be repeated',
          })
          .option('lifetime', { ...seconds('--lifetime', 1), default: '1200', describe: 'seconds' })
          .option('profile', { choices: [...PROFILES, 'wlcg'], default: 'scitoken:2.0' })
          .option('claim', { type: 'string', array: true, nargs: 1, describe: 'name=text' })
          .option('claim-json', { type: 'string', array: true, nargs: 1, describe: 'name=JSON' }),
      (args) => run(flag(args), () => tokenCreate({ ...args, json: flag(args) }, io)),
    )
    .command(
      'verify [token]',
      'accept or refuse a token',
      (command) =>
        withToken(command).options(verifying).option('test', {
          type: 'string',
          array: true,
          nargs: 1,
          describe: 'authorization:/path that it must allow',
        }),
      (args) => run(flag(args), () => tokenVerify(args.token, { ...args, json: flag(args) }, io)),
    )
    .command(
      'acls [token]',
      'verify a token and list what it allows',
      (command) => withToken(command).options(verifying),
      (args) => run(flag(args), () => tokenAcls(args.token, { ...args, json: flag(args) }, io)),
    )
    .command(
      'inspect [token]',
      'show what a token says, without verifying it',
      (command) => withToken(command),
      (args) => run(flag(args), () => tokenInspect(args.token, { json: flag(args) }, io)),
    )
    .demandCommand(1, 'name a token command');
}

function cacheGroup(group: Argv, io: Io, run: Run): Argv {
  const withIssuer = (command: Argv): Argv<{ issuer: string }> =>
    command.positional('issuer', { type: 'string', demandOption: true });
  return group
    .command(
      'list',
      'show whose keys are kept, and since when',
      (command) => command,
      (args) => run(flag(args), () => cacheList({ json: flag(args) }, io)),
    )
    .command(
      'add <issuer>',
      "keep an issuer's keys from a file, for instance where it cannot be reached",
      (command) => withIssuer(command).option('jwks', { type: 'string', demandOption: true }),
      (args) => run(flag(args), () => cacheAdd(args.issuer, args.jwks, io)),
    )
    .command(
      'remove <issuer>',
      "forget an issuer's keys",
      (command) => withIssuer(command),
      (args) => run(flag(args), () => cacheRemove(args.issuer, io)),
    )
    .command(
      'update [issuer]',
      'fetch the keys of one issuer, or of all that are kept, again',
      (command) =>
        command.positional('issuer', { type: 'string' }).option('insecure', verifying.insecure),
      (args) => run(flag(args), () => cacheUpdate(args.issuer, args, io)),
    )
    .demandCommand(1, 'name a cache command');
}

/**
 * An option that takes whole seconds, `min` or more. Without a default it may be missing.
 */
function seconds(option: string, min: number) {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value: unknown): number => wholeSeconds(option, value, min),
  } as const;
}

/**
 * `--json` is an option of the whole command line, which the types of one command do not
 * know.
 */
function flag(args: object): boolean {
  return 'json' in args && args.json === true;
}
