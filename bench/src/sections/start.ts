// Start of the daemon and of short commands, beside `node -e 0`.
import { providerKnobs } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Section } from '../shared/bench.ts';
import { startDaemon } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { fill } from '../shared/tokens.ts';

const TOKEN_URL = 'https://issuer.example/token';
const NODE = 'node -e 0';

/** The short commands; each is run in a directory of `tokens` tokens. */
const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['--version', ['--version']],
  ['config get LOG', ['config', 'get', 'LOG']],
  ['usable', ['usable', 'u1', 'mytok']],
  ['status --user', ['status', '--user', 'u1']],
  ['status', ['status']],
];

async function starts(bench: Bench): Promise<Measured> {
  const point = bench.accessPoint();
  const knobs = providerKnobs(point, 'mytok', TOKEN_URL);
  const [ours, against, floor]: [Sample[], Sample[], Sample[]] = [[], [], []];
  try {
    for (let round = 0; round < bench.options.rounds * 2; round += 1) {
      floor.push(bench.command([process.execPath, '-e', '0'], point.configure({}), 5));
      for (const program of bench.programs('oauth')) {
        const daemon = await startDaemon(program, point, knobs);
        const { cpu, peak } = daemon.atComplete;
        const sample = { value: cpu, cpu, peak, wall: daemon.startSeconds };
        (program === bench.ours ? ours : against).push(sample);
        await withDaemon(daemon, () => daemon.settled());
      }
    }
  } finally {
    point.remove();
  }
  return {
    section: 'start',
    name: 'start to CREDMON_COMPLETE, empty directory, CPU',
    unit: 's',
    ours,
    floor,
    floorName: NODE,
    ...(against.length > 0 ? { against } : {}),
    targets: [
      { of: 'floor', most: 1.8 },
      { of: 'against', most: 1 },
    ],
  };
}

async function commands(bench: Bench, tokens: number): Promise<Measured[]> {
  const point = bench.accessPoint();
  try {
    if (tokens > 0) fill(point.credentials, { users: tokens / 10, tokens, tokenUrl: TOKEN_URL });
    const environment = point.configure(providerKnobs(point, 'mytok', TOKEN_URL));
    const program = bench.installed('condor_credmon');
    const shown = COMMANDS.filter(([name]) => tokens === 0 || /usable|--user/.test(name));
    const samples = new Map<string, Sample[]>(shown.map(([name]) => [name, []]));
    const floor: Sample[] = [];
    for (let round = 0; round < bench.options.rounds; round += 1) {
      floor.push(bench.command([process.execPath, '-e', '0'], environment, 10));
      for (const [name, words] of shown)
        samples
          .get(name)
          ?.push(bench.command([process.execPath, program, ...words], environment, 5));
    }
    return shown.map(([name]) => ({
      section: 'start',
      name: `${name}, ${tokens === 0 ? 'no token' : `${tokens.toLocaleString('en-US')} tokens`}, CPU`,
      unit: 's' as const,
      ours: samples.get(name) ?? [],
      floor,
      floorName: NODE,
      targets: [{ of: 'floor' as const, most: 1.5 }],
    }));
  } finally {
    point.remove();
  }
}

export const start: Section = {
  name: 'start',
  title: 'Start and short commands',
  measure: async (bench) => {
    bench.say('start and short commands');
    return [
      await starts(bench),
      ...(await commands(bench, 0)),
      ...(await commands(bench, bench.options.quick ? 2000 : 20_000)),
    ];
  },
  profile: async (bench, program) => {
    const point = bench.accessPoint();
    // As it is installed: loading is what the start is.
    const [node, ...words] = program.command;
    const command = [node, ...words.slice(0, -1), bench.installed('condor_credmon')] as const;
    try {
      const daemon = await startDaemon(
        { ...program, command },
        point,
        providerKnobs(point, 'mytok', TOKEN_URL),
      );
      await withDaemon(daemon, () => daemon.settled());
    } finally {
      point.remove();
    }
  },
};
