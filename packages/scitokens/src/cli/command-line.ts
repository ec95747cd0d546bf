// The command line of `scitokens`: the options of each command.
import { wholeSeconds } from '@credmon/core/base';
import yargs, { type Argv } from 'yargs';
import examples from './examples.json' with { type: 'json' };
import { OPERATIONS } from '../explain/xrootd-rules.ts';
import { PROFILES } from '../token/claims.ts';
import { ALGORITHMS } from '../token/algorithms.ts';
import { KEY_FORMS } from '../keys/keys.ts';
import { DEFAULT_POLICY } from '../keys/rotation.ts';
import { type Io, misuse, runCommand, type Work } from './io.ts';
import {
  cacheAdd,
  cacheList,
  cacheRemove,
  cacheUpdate,
  keyConvert,
  keyCreate,
  keyList,
  keyPublish,
  keyRotate,
} from './key-commands.ts';
import { tokenAcls, tokenCreate, tokenExplain, tokenVerify } from './token-commands.ts';
import { DEFAULT_LIFETIME, tokenInspect } from './token-source.ts';

const NAME = 'scitokens';
const TOKEN_HELP =
  'the token, @FILE, or - for standard input (bare, or the JSON of a .use file); ' +
  'default: WLCG bearer token discovery';

/** Runs `scitokens` with the given arguments and returns its exit code. */
export async function scitokens(argv: readonly string[], io: Io): Promise<number> {
  let result = 0;
  const run: Run = async (json, work) => {
    result = await runCommand(NAME, io, json ?? false, work);
  };
  const parser = commandLine(io, run).fail((message: string | null, error: Error | undefined) => {
    // An error from an option's own parser arrives as an error of yargs.
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

/** The end of a help: examples that can be pasted as they are. */
const examplesOf = (group: keyof typeof examples): string =>
  ['Examples:', ...examples[group].map(([line, text]) => `  # ${text}\n  ${line}`)].join('\n');

type Run = (json: boolean | undefined, work: Work) => Promise<void>;

/** Returns the declaration of the command line; `run` gets the work of a command. */
export function commandLine(io: Io, run: Run): Argv {
  return yargs()
    .scriptName(NAME)
    .usage('$0 <command>: create keys, issue, verify and inspect SciTokens and WLCG tokens')
    .command('key', 'signing keys', (group) => keyGroup(group, io, run))
    .command('token', 'tokens', (group) => tokenGroup(group, io, run))
    .command('cache', "issuers' keys on disk", (group) => cacheGroup(group, io, run))
    .epilogue(examplesOf('all'))
    .demandCommand(1, 'a command is required')
    .option('json', { type: 'boolean', describe: 'print JSON' })
    .strict()
    .version(false)
    .wrap(80)
    .exitProcess(false);
}

const naming = {
  kid: { type: 'string', describe: 'key id' },
  'kid-style': {
    choices: ['python', 'thumbprint'] as const,
    describe: 'how to derive a missing key id',
  },
  algorithm: {
    choices: Object.keys(ALGORITHMS),
    describe: 'signature algorithm; ES256 by default for new keys',
  },
} as const;
const writing = {
  form: { choices: KEY_FORMS, describe: 'output form' },
  out: {
    type: 'string',
    describe: 'output file (0600 for a private key) instead of standard output',
  },
  public: { type: 'string', describe: 'output file for the public key as PEM' },
  jwks: { type: 'string', describe: 'output file for the public key as JWKS' },
  force: { type: 'boolean', describe: 'replace existing files' },
} as const;

function keyGroup(group: Argv, io: Io, run: Run): Argv {
  return group
    .epilogue(examplesOf('key'))
    .command(
      'create',
      'create a private key',
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
      'execute all due steps of the rotation',
      (command) =>
        command
          .positional('directory', { type: 'string', demandOption: true })
          .options({ 'kid-style': naming['kid-style'], algorithm: naming.algorithm })
          .option('begin', { type: 'boolean', describe: 'begin a rotation now' })
          .option('publish-lead', {
            ...seconds('--publish-lead', 0),
            describe:
              'new directory: seconds for which a key is published before ' +
              `it signs [${DEFAULT_POLICY.publishLead}]`,
          })
          .option('longest-lifetime', {
            ...seconds('--longest-lifetime', 1),
            describe: `new directory: maximum token lifetime in seconds [${DEFAULT_POLICY.longestLifetime}]`,
          }),
      (args) => run(flag(args), () => keyRotate(args.directory, args, io)),
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
    .demandCommand(1, 'a key command is required');
}

const keySource = {
  jwks: { type: 'string', describe: "file with the issuer's keys, instead of fetching them" },
  key: { type: 'string', describe: "file with the issuer's key, instead of fetching it" },
  insecure: { type: 'boolean', describe: 'allow issuers without https' },
  cache: { type: 'boolean', default: true, describe: "cache issuers' keys on disk" },
} as const;

const explaining = {
  'scitokens-cfg': {
    type: 'string',
    requiresArg: true,
    describe: "configuration of XRootD's SciTokens plugin",
  },
  mapfile: {
    type: 'string',
    requiresArg: true,
    describe: 'map file of HTCondor-CE or HTCondor (CERTIFICATE_MAPFILE)',
  },
  'assume-hash-keys': {
    type: 'boolean',
    default: true,
    describe:
      'value of CERTIFICATE_MAPFILE_ASSUME_HASH_KEYS: true for HTCondor-CE; HTCondor: --no-assume-hash-keys',
  },
  path: { type: 'string', requiresArg: true, describe: 'XRootD: path that the client requests' },
  op: {
    type: 'string',
    requiresArg: true,
    describe: `XRootD: ${Object.keys(OPERATIONS).join(', ')}; map file: READ, WRITE...`,
  },
  audience: {
    type: 'string',
    array: true,
    nargs: 1,
    describe: "the service's audience; XRootD: replaces the configured audiences",
  },
  ...keySource,
} as const;

const EXPLAIN_HELP =
  'Exit status: 0 accepted, 1 refused, 2 usage error. Without --path and --op, only\n' +
  'the token is checked. The decision is that of XRootD 5.7 and later; lines that\n' +
  'begin with "older" show differences of older versions.';

const verifying = {
  issuer: {
    type: 'string',
    array: true,
    nargs: 1,
    describe: 'trusted issuer; default: any https issuer',
  },
  audience: { type: 'string', array: true, nargs: 1, describe: 'accepted audience' },
  algorithm: {
    choices: Object.keys(ALGORITHMS),
    array: true,
    nargs: 1,
    describe: 'accepted algorithm; default: ES256 and RS256',
  },
  leeway: { ...seconds('--leeway', 0), describe: 'allowed clock difference in seconds' },
  ...keySource,
} as const;

function tokenGroup(group: Argv, io: Io, run: Run): Argv {
  const withToken = (command: Argv): Argv<{ token: string | undefined }> =>
    command.positional('token', { type: 'string', describe: TOKEN_HELP });
  return group
    .epilogue(examplesOf('token'))
    .command(
      'create',
      'issue a token',
      (command) =>
        command
          .options({
            ...naming,
            out: {
              type: 'string',
              describe: 'output file for the token (0600) instead of standard output',
            },
          })
          .option('key', { type: 'string', describe: 'file with the private key' })
          .option('keys', { type: 'string', describe: 'key directory with the signing key' })
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
          .option('lifetime', {
            ...seconds('--lifetime', 1),
            default: String(DEFAULT_LIFETIME),
            describe: 'seconds',
          })
          .option('profile', { choices: [...PROFILES, 'wlcg'], default: 'scitoken:2.0' })
          .option('claim', { type: 'string', array: true, nargs: 1, describe: 'name=text' })
          .option('claim-json', { type: 'string', array: true, nargs: 1, describe: 'name=JSON' }),
      (args) => run(flag(args), () => tokenCreate({ ...args, json: flag(args) }, io)),
    )
    .command(
      'verify [token]',
      'verify a token',
      (command) =>
        withToken(command).options(verifying).option('test', {
          type: 'string',
          array: true,
          nargs: 1,
          describe: 'authorization:/path that the token must allow',
        }),
      (args) => run(flag(args), () => tokenVerify(args.token, { ...args, json: flag(args) }, io)),
    )
    .command(
      'acls [token]',
      'verify a token and list its authorizations',
      (command) => withToken(command).options(verifying),
      (args) => run(flag(args), () => tokenAcls(args.token, { ...args, json: flag(args) }, io)),
    )
    .command(
      'inspect [token]',
      'show the contents of a token without verification',
      (command) => withToken(command),
      (args) => run(flag(args), () => tokenInspect(args.token, { json: flag(args) }, io)),
    )
    .command(
      'explain [token]',
      'show which rule of an XRootD configuration or a map file accepts or refuses a token',
      (command) => withToken(command).options(explaining).epilogue(EXPLAIN_HELP),
      (args) => run(flag(args), () => tokenExplain(args.token, { ...args, json: flag(args) }, io)),
    )
    .demandCommand(1, 'a token command is required');
}

function cacheGroup(group: Argv, io: Io, run: Run): Argv {
  const withIssuer = (command: Argv): Argv<{ issuer: string }> =>
    command.positional('issuer', { type: 'string', demandOption: true });
  return group
    .epilogue(examplesOf('cache'))
    .command(
      'list',
      'list cached issuers and the time of the last fetch',
      (command) => command,
      (args) => run(flag(args), () => cacheList({ json: flag(args) }, io)),
    )
    .command(
      'add <issuer>',
      "cache an issuer's keys from a file, for example if the issuer is not reachable",
      (command) => withIssuer(command).option('jwks', { type: 'string', demandOption: true }),
      (args) => run(flag(args), () => cacheAdd(args.issuer, args.jwks, io)),
    )
    .command(
      'remove <issuer>',
      "remove an issuer's keys from the cache",
      (command) => withIssuer(command),
      (args) => run(flag(args), () => cacheRemove(args.issuer, io)),
    )
    .command(
      'update [issuer]',
      'fetch the keys of one issuer or of all cached issuers again',
      (command) =>
        command.positional('issuer', { type: 'string' }).option('insecure', verifying.insecure),
      (args) => run(flag(args), () => cacheUpdate(args.issuer, args, io)),
    )
    .demandCommand(1, 'a cache command is required');
}

/** An option for whole seconds, `min` or more. Optional unless it has a default. */
function seconds(option: string, min: number) {
  return {
    type: 'string',
    requiresArg: true,
    coerce: (value: unknown): number => wholeSeconds(option, value, min),
  } as const;
}

/** `--json` is a global option, which is missing in the types of a command. */
function flag(args: object): boolean {
  return 'json' in args && args.json === true;
}
