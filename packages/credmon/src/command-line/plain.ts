// Recognises the plain forms of the command line: those of condor_master, scripts and
// monitors. They do not load the parser of arguments; everything else is left to it.
import { DEFAULT_NAME, SELECT_ALL, type Command } from './command.ts';

/**
 * A positional, or the value of an option: nothing that begins like a number or an option. The
 * parser takes `true` and `false` as the value of an option before them, and `help` as --help.
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

/** The words, and the values of the options. An option that occurs twice is not plain. */
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
