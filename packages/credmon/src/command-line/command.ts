// The commands of the command line, as data; and its plain forms: those of condor_master,
// scripts and monitors. They do not load the parser of arguments, which reads all others.

/** Options of every command. `configFile` replaces CONDOR_CONFIG. */
export interface CommonOptions {
  readonly configFile: string | undefined;
  readonly credDir: string | undefined;
  readonly name: string;
}

/** The daemon itself. */
export interface DaemonCommand extends CommonOptions {
  readonly kind: 'daemon';
  readonly logFile: string | undefined;
  readonly debug: boolean;
  readonly verbose: boolean;
  readonly once: boolean;
}

/** The states that can be selected: those of the table's column STATE. */
export const STATES = [
  'fresh',
  'due',
  'waiting',
  'stopped',
  'unrenewable',
  'unmanaged',
  'expired',
] as const;

/** A state that can be selected. */
export type SelectedState = (typeof STATES)[number];

/** The columns by which rows can be sorted. */
export const SORT_KEYS = ['owner', 'service', 'provider', 'state', 'expires', 'next'] as const;

/** A column by which rows can be sorted. */
export type SortKey = (typeof SORT_KEYS)[number];

/** What is shown: all conditions must be true. */
export interface Selection {
  /** Any of these; none: every state. */
  readonly states: readonly SelectedState[];
  /** The name of a provider, or its kind. */
  readonly provider: string | undefined;
  /** At most this many seconds of life are left. */
  readonly expiringWithin: number | undefined;
  readonly sort: SortKey | undefined;
}

/** Shows everything, in the order of the rows. */
export const SELECT_ALL: Selection = {
  states: [],
  provider: undefined,
  expiringWithin: undefined,
  sort: undefined,
};

/**
 * A subcommand that reads the credential directory or the configuration. `seconds`: the
 * required remaining lifetime.
 */
export type Subcommand = CommonOptions &
  (
    | {
        readonly kind: 'status';
        readonly json: boolean;
        readonly user: string | undefined;
        readonly selection: Selection;
        /** Print again after this many seconds, until a signal; `undefined`: once. */
        readonly watch: number | undefined;
      }
    | {
        readonly kind: 'explain';
        readonly json: boolean;
        readonly user: string;
        readonly service: string;
        /** The handle, if `service` does not include it. */
        readonly handle: string | undefined;
      }
    | { readonly kind: 'check'; readonly json: boolean; readonly user: string | undefined }
    /** The first configuration; what is missing is asked for, see `Answers`. */
    | {
        readonly kind: 'init';
        readonly profile: string | undefined;
        readonly provider: string | undefined;
        readonly issuer: string | undefined;
        readonly clientId: string | undefined;
        readonly secretFile: string | undefined;
        readonly prefix: string | undefined;
        /** The file to write. */
        readonly output: string | undefined;
        /** Replace that file if it exists. */
        readonly force: boolean;
      }
    /** The new configuration for these files of an older credmon. */
    | { readonly kind: 'migrate'; readonly files: readonly string[] }
    | {
        readonly kind: 'usable';
        readonly user: string;
        readonly service: string;
        readonly seconds: number;
      }
    | {
        readonly kind: 'revoke';
        readonly json: boolean;
        readonly user: string;
        readonly service: string | undefined;
        /** Say what would be done, and do nothing. */
        readonly dryRun: boolean;
        /** Do not ask, also on a terminal. */
        readonly yes: boolean;
      }
    | {
        readonly kind: 'renew';
        readonly json: boolean;
        readonly user: string;
        readonly service: string;
        /** How long the command waits for the result, in seconds. */
        readonly timeout: number;
      }
    | { readonly kind: 'keys-list'; readonly json: boolean; readonly provider: string | undefined }
    | {
        readonly kind: 'keys-rotate';
        readonly json: boolean;
        readonly provider: string | undefined;
        /** Create a new key before the active one is due for rotation. */
        readonly begin: boolean;
        readonly algorithm: 'ES256' | 'RS256';
      }
    | {
        readonly kind: 'keys-publish';
        readonly json: boolean;
        readonly provider: string | undefined;
        /** A web server's directory; default: the portal's. */
        readonly directory: string | undefined;
      }
    | { readonly kind: 'standing-login'; readonly token: string }
    | { readonly kind: 'standing-list'; readonly json: boolean }
    | {
        readonly kind: 'token';
        readonly json: boolean;
        readonly provider: string;
        readonly audience: readonly string[];
        readonly scopes: readonly string[];
        readonly subject: string | undefined;
        /** In seconds. */
        readonly lifetime: number | undefined;
        readonly output: string | undefined;
        /** The user to whom the output file is given. */
        readonly owner: string | undefined;
        /** Print the token also on a terminal. */
        readonly print: boolean;
      }
    | {
        readonly kind: 'config-dump';
        readonly json: boolean;
        readonly pattern: string | undefined;
        readonly expanded: boolean;
      }
    | {
        readonly kind: 'config-get';
        readonly json: boolean;
        readonly knob: string;
        readonly verbose: boolean;
      }
  );

/** Text to print and the exit code: help, version, usage errors. */
export interface TextCommand {
  readonly kind: 'text';
  readonly text: string;
  readonly exitCode: number;
  readonly toStderr: boolean;
}

/** The command of a command line. */
export type Command = DaemonCommand | Subcommand | TextCommand;

/** The default subsystem name: the name of this daemon in DAEMON_LIST. */
export const DEFAULT_NAME = 'CREDMON_OAUTH';

/** The flags of every command, as declared to yargs. */
export interface CommonFlags {
  readonly name: string;
  readonly 'cred-dir': string | undefined;
  readonly config: string | undefined;
}

/** The common options, as yargs returns them. */
export interface CommonValues {
  readonly name: string;
  readonly credDir: string | undefined;
  readonly config: string | undefined;
}

/** Converts the common options for commands. */
export function common({ name, credDir, config }: CommonValues): CommonOptions {
  return { name: name.toUpperCase(), credDir, configFile: config };
}

/**
 * A positional or the value of an option. It does not begin like a number or an option.
 * `true`, `false` and `help` are not plain: the parser takes `true` and `false` as the
 * value of the option before them, and `help` as --help.
 */
const PLAIN = /^(?!(?:true|false|help)$)[A-Za-z_/][\w./@+-]*$/;

/** The options of the plain forms, and whether each has a value. */
const OPTIONS: Readonly<Record<string, { readonly name: Option; readonly hasValue: boolean }>> = {
  '--json': { name: 'json', hasValue: false },
  '--once': { name: 'once', hasValue: false },
  '--user': { name: 'user', hasValue: true },
  '--config': { name: 'config', hasValue: true },
  '--cred-dir': { name: 'directory', hasValue: true },
  '-c': { name: 'directory', hasValue: true },
  '--log-file': { name: 'log', hasValue: true },
  '-l': { name: 'log', hasValue: true },
};

type Option = 'json' | 'once' | 'user' | 'config' | 'directory' | 'log';

/** Options of commands: the parser knows them after the command only. */
const OF_COMMANDS: ReadonlySet<Option> = new Set(['json', 'user']);
const isCommand = (words: readonly string[]): boolean =>
  words.length > (words[0] === 'config' ? 1 : 0);

/**
 * Returns the same command as `parseArguments` for the plain forms, `undefined` for every
 * other command line.
 */
export function plainCommand(argv: readonly string[], version: string): Command | undefined {
  if (argv.length === 1 && argv[0] === '--version')
    return { kind: 'text', text: version, exitCode: 0, toStderr: false };
  const parsed = split(argv);
  if (!parsed) return undefined;
  const { words, options } = parsed;
  const allows = (...names: Option[]): boolean =>
    [...options.keys()].every((name) => ['config', 'directory', ...names].includes(name));
  const [word = '', second = '', third = ''] = words;
  const common = {
    name: DEFAULT_NAME,
    credDir: options.get('directory'),
    configFile: options.get('config'),
  };
  const json = options.has('json');
  switch (`${word} ${words.length}`) {
    case ' 0': {
      if (!allows('once', 'log')) return undefined;
      const flags = { logFile: options.get('log'), debug: false, verbose: false };
      return { kind: 'daemon', ...common, ...flags, once: options.has('once') };
    }
    case 'status 1':
      if (!allows('json', 'user')) return undefined;
      return {
        kind: 'status',
        ...common,
        json,
        user: options.get('user'),
        selection: SELECT_ALL,
        watch: undefined,
      };
    case 'config 3':
      if (!allows('json') || second !== 'get') return undefined;
      return { kind: 'config-get', ...common, json, knob: third, verbose: false };
    case 'usable 3':
      if (!allows()) return undefined;
      return { kind: 'usable', ...common, user: second, service: third, seconds: 0 };
    default:
      return undefined;
  }
}

/**
 * Returns the words and the values of the options; `undefined` if the line is not plain,
 * for example if an option occurs twice.
 */
function split(
  argv: readonly string[],
): { words: readonly string[]; options: ReadonlyMap<Option, string> } | undefined {
  const words: string[] = [];
  const options = new Map<Option, string>();
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const option = Object.hasOwn(OPTIONS, word) ? OPTIONS[word] : undefined;
    const given = option?.hasValue === true ? left.shift() : undefined;
    const text = option === undefined ? word : given;
    if (text === undefined ? option?.hasValue === true : !PLAIN.test(text)) return undefined;
    if (option === undefined) words.push(word);
    else if (options.has(option.name) || (OF_COMMANDS.has(option.name) && !isCommand(words)))
      return undefined;
    else options.set(option.name, given ?? '');
  }
  return { words, options };
}
