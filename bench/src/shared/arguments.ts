// The command line of `npm run bench`.

/** What a run measures, how large, and where the figures go. */
export interface Options {
  /** Names of sections; empty: all. */
  readonly sections: readonly string[];
  /** Small sizes and few rounds. */
  readonly quick: boolean;
  /** Also a million tokens. */
  readonly full: boolean;
  /** Measurements of each row. */
  readonly rounds: number;
  readonly json?: string;
  /** Another credmon, by its command line; `pool`: the Python one of the pool's root. */
  readonly against?: string;
  /** Where all credential directories are made. */
  readonly directory?: string;
  /** Adds what the CPU time of each section is. */
  readonly profile: boolean;
  /** Writes docs/performance.md and its plots. */
  readonly write: boolean;
  /** Measures the guards and compares them with the recorded ratios. */
  readonly guards: boolean;
  /** Measures the guards and records their ratios. */
  readonly record: boolean;
  readonly help: boolean;
}

/** The text of --help. */
export const HELP = `usage: npm run bench -- [OPTION]...

  --section NAME,...  only these sections
  --quick             small sizes, three rounds; two and a half minutes, four on a busy machine
  --full              also 1,000,000 tokens
  --rounds N          measurements of each row (5)
  --against CMD       also measures another credmon; "pool": HTCondor's Python
                      condor_credmon_oauth in the root directory of test-fixtures/pool
  --directory DIR     where credential directories are made (in memory; what must be
                      durable, and all with "--against pool": the temporary directory)
  --profile           what the CPU time of a section is
  --json FILE         writes all figures
  --write             writes docs/performance.md
  --guards            measures the guards of CI and compares them with what was recorded
  --record            measures the guards and records their ratios
`;

const FLAGS = ['quick', 'full', 'profile', 'write', 'guards', 'record', 'help'] as const;
const VALUES = ['section', 'json', 'against', 'directory', 'rounds'] as const;
type Flag = (typeof FLAGS)[number];
type Value = (typeof VALUES)[number];

/**
 * Parses the command line. `known` are the names of the sections.
 * @throws Error that names the wrong argument
 */
export function parseArguments(words: readonly string[], known: readonly string[]): Options {
  const flags = new Set<Flag>();
  const values = new Map<Value, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const [, name = '', attached] = /^--([a-z]+)(?:=(.*))?$/s.exec(word) ?? [];
    const [flag, value] = [
      FLAGS.find((one) => one === name && attached === undefined),
      VALUES.find((one) => one === name),
    ];
    if (flag !== undefined) flags.add(flag);
    else if (value !== undefined) values.set(value, attached ?? next(words, (index += 1), word));
    else throw new Error(`unknown argument: ${word}`);
  }
  const sections = (values.get('section') ?? '').split(',').filter((name) => name !== '');
  const wrong = sections.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new Error(`unknown section: ${wrong}; sections: ${known.join(', ')}`);
  const quick = flags.has('quick');
  if (quick && flags.has('full')) throw new Error('--quick and --full exclude each other');
  const rounds = Number(values.get('rounds') ?? (quick ? 3 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error('--rounds must be a whole number of at least 1');
  const text = (name: 'json' | 'against' | 'directory'): Record<string, string> => {
    const value = values.get(name);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    sections,
    quick,
    full: flags.has('full'),
    rounds,
    ...text('json'),
    ...text('against'),
    ...text('directory'),
    profile: flags.has('profile'),
    write: flags.has('write'),
    guards: flags.has('guards'),
    record: flags.has('record'),
    help: flags.has('help'),
  };
}

function next(words: readonly string[], index: number, name: string): string {
  const value = words[index];
  if (value === undefined) throw new Error(`${name} needs a value`);
  return value;
}
