// The commands and options of every program, as the programs declare them: man pages and
// completions are made from this.
import { build } from 'esbuild';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What is asked of the sources; the parsers run nothing. */
const DECLARATIONS = `
import { commandLine as credmon } from './packages/credmon/src/command-line/arguments.ts';
import { commandLine as webserver } from './packages/webserver/src/cli/arguments.ts';
import { commandLine as scitokens } from './packages/scitokens/src/cli/command-line.ts';
import { parseStorerArguments } from './packages/credmon/src/storer/arguments.ts';
import { parseMytokenArguments } from './packages/credmon/src/mytoken/arguments.ts';
import * as tools from './packages/scitokens/src/cli/python-tools.ts';
export { default as yargs } from './packages/credmon/node_modules/yargs/index.mjs';
const help = async (command) => {
  let text = '';
  await command(['--help'], { out: (more) => { text += more; }, err: () => undefined });
  return text;
};
export const parsers = [
  credmon('VERSION'),
  webserver('VERSION'),
  scitokens({}, async () => undefined),
];
export const texts = async () => ({
  condor_credential_storer: parseStorerArguments(['--help'], '').text,
  condor_credmon_mytoken: parseMytokenArguments(['--help'], '').text,
  'scitokens-admin-create-key': await help(tools.createKeyCommand),
  'scitokens-admin-create-token': await help(tools.createTokenCommand),
  'scitokens-verify-token': await help(tools.verifyTokenCommand),
});`;

/** One sentence for each program, as the NAME section of a man page has it. */
const SUMMARIES = {
  condor_credmon: "keep HTCondor's OAuth access tokens fresh",
  condor_credmon_webserver: 'web portal where users sign in to token providers',
  condor_credential_storer: 'log in for the tokens that jobs use, and store the credentials',
  condor_credmon_mytoken: 'token program for a mytoken server',
  scitokens: 'create keys, issue, verify and inspect SciTokens and WLCG tokens',
  'scitokens-admin-create-key': 'create or convert a signing key',
  'scitokens-admin-create-token': 'issue a SciToken',
  'scitokens-verify-token': 'verify a SciToken',
};

/**
 * Returns the programs: `{ name, summary, usage, text, options, positionals, commands,
 * examples }`. `text` is the help of a program without subcommands as it prints it.
 */
export async function describePrograms(root) {
  const folder = join(root, 'node_modules/.cache/credmon');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `declarations-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    stdin: { contents: DECLARATIONS, resolveDir: root, loader: 'js' },
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['@credmon/source'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
    define: { __dirname: "'/'", __filename: "'/declarations'" },
    logLevel: 'warning',
  });
  try {
    const { parsers, texts, yargs } = await import(pathToFileURL(file).href);
    const programs = [];
    for (const parser of parsers) programs.push(await declared(yargs, parser, [parser.$0]));
    for (const [name, text] of Object.entries(await texts())) programs.push(printed(name, text));
    return programs.map((one) => ({ ...one, summary: SUMMARIES[one.name] ?? one.summary }));
  } finally {
    rmSync(file);
  }
}

/** Describes a parser of yargs, and its commands. */
async function declared(yargs, parser, words) {
  const inner = parser.getInternalMethods();
  const usage = inner.getUsageInstance();
  const handlers = inner.getCommandInstance().getCommandHandlers();
  const help = await parser.getHelp();
  const commands = [];
  for (const [key, handler] of Object.entries(handlers)) {
    if (key === '$0' || handler.description === false) continue;
    const child = yargs([]).scriptName(words.join(' ')).exitProcess(false).help(false);
    const built = (await handler.builder(child.version(false))) ?? child;
    const one = await declared(yargs, built, [...words, key]);
    const positionals = positionalsOf(handler, built);
    const named = new Set(positionals.map(({ name }) => `--${name}`));
    commands.push({
      ...one,
      options: one.options.filter(({ names: [first] }) => !named.has(first)),
      summary: handler.description,
      usage: `${words.join(' ')} ${handler.original}`,
      positionals,
    });
  }
  const lines = usage.getUsage().map(([line]) => line.replaceAll('$0', words[0]));
  return {
    name: words.join(' '),
    summary: '',
    usage: lines[0]?.split('\n')[0] ?? words.join(' '),
    about: lines.join('\n').split('\n').slice(1).join('\n').trim(),
    // The help has added the options of the default command.
    options: optionsOf(parser),
    positionals: [],
    commands,
    exits: /\nExit codes:\n([^]*?)(?:\n\n|$)/.exec(help)?.[1] ?? '',
    examples: /\nExamples:\n([^]*?)(?:\n\n|$)/.exec(help)?.[1] ?? '',
  };
}

function positionalsOf({ demanded, optional }, parser) {
  const described = parser.getInternalMethods().getUsageInstance().getDescriptions();
  return [...demanded, ...optional].map(({ cmd: [name], variadic }) => ({
    name,
    variadic: variadic ?? false,
    describe: clean(described[name]),
    choices: parser.getOptions().choices[name] ?? [],
  }));
}

function optionsOf(parser) {
  const options = parser.getOptions();
  const described = parser.getInternalMethods().getUsageInstance().getDescriptions();
  const aliases = new Set(Object.values(options.alias).flat());
  const keys = Object.keys(options.key).filter((key) => !options.hiddenOptions.includes(key));
  const found = keys.flatMap((key) => {
    if (aliases.has(key) && !(key in described)) return [];
    if (aliases.has(key) && key.length === 1) return [];
    const names = [key, ...(options.alias[key] ?? [])].sort((a, b) => b.length - a.length);
    const shown = names.find((name) => described[name] !== undefined) ?? key;
    const initial = options.default[key];
    return [
      {
        names: names.map((name) => (name.length === 1 ? `-${name}` : `--${name}`)),
        takesValue: !options.boolean.includes(key) && !options.count.includes(key),
        repeats: options.array.includes(key),
        required: key in options.demandedOptions,
        choices: options.choices[key] ?? [],
        describe: clean(described[shown]),
        initial: ['string', 'number'].includes(typeof initial) ? String(initial) : '',
      },
    ];
  });
  const most = new Map();
  for (const option of found)
    if ((most.get(option.names[0])?.names.length ?? 0) < option.names.length)
      most.set(option.names[0], option);
  return [...most.values()];
}

const clean = (text) => (text ?? '').replace(/^__yargsString__:/, '');

/** What an option has that says nothing else. */
const FLAG = {
  takesValue: false,
  repeats: false,
  required: false,
  choices: [],
  describe: '',
  initial: '',
};

/** Describes a program by the help that it prints. */
function printed(name, text) {
  const options = new Map();
  for (const [, short, long, value] of text.matchAll(
    /(?:(-\w), )?(--[a-z][a-z_-]*)(?:[ =]([A-Z_]+))?/g,
  )) {
    if (options.has(long)) continue;
    const line = new RegExp(`^ +(?:-\\w, )?${long}(?: [A-Z]+)? {2,}(.*(?:\\n {12,}\\S.*)*)`, 'm');
    options.set(long, {
      ...FLAG,
      names: [long, ...(short ? [short] : [])],
      takesValue: value !== undefined,
      describe: (line.exec(text)?.[1] ?? '').replaceAll(/\n\s+/g, ' ').trim(),
    });
  }
  for (const [, short] of text.matchAll(/\[(-\w)\]/g))
    if (![...options.values()].some(({ names }) => names.includes(short)))
      options.set(short, { ...FLAG, names: [short] });
  const [usage = ''] = text.replace(/^usage: /, '').split('\n');
  const common = { name, summary: '', usage, text, about: '', exits: '', examples: '' };
  return { ...common, options: [...options.values()], positionals: [], commands: [] };
}
