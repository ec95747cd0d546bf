// First pass, full look, idle and memory: daemons over the same directory of fresh tokens.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import type { AccessPoint, Knobs } from '../shared/access-point.ts';
import { localKnobs, providerKnobs } from '../shared/access-point.ts';
import {
  FLOOR_ENVIRONMENT,
  withDaemon,
  type Bench,
  type FloorResult,
  type Section,
} from '../shared/bench.ts';
import { startDaemon, type Program } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { medianOf } from '../shared/statistics.ts';
import { fill } from '../shared/tokens.ts';

/** What was measured of a program over the directory, one sample for each round. */
interface Scans {
  readonly first: Sample[];
  readonly settled: Sample[];
  readonly looks: Sample[];
}
/** All of it, measured once for all sections of a run. */
interface ScanRun {
  readonly tokens: number;
  readonly users: number;
  readonly ours: Scans;
  readonly against: Scans | undefined;
  readonly floors: Readonly<Record<'look' | 'readUse' | 'readAll', Sample[]>>;
  readonly fullLooks: Sample[];
}

/** Milliseconds until the second pass of a daemon has ended. */
const FIRST_MINUTE = 70_000;

const emptyScans = (): Scans => ({ first: [], settled: [], looks: [] });
const TOKEN_URL = 'https://issuer.example/token';
const runs = new WeakMap<Bench, Promise<ScanRun>>();

/** Knobs of a directory whose tokens need nothing. */
export function scanKnobs(point: AccessPoint): Knobs {
  return { ...providerKnobs(point, 'mytok', TOKEN_URL), ...localKnobs(point) };
}

/** A floor with the start of Node.js, which the daemon's figure has, too. */
export const wholeSample = ({ cpu, wall, peak }: FloorResult): Sample => ({
  value: cpu,
  cpu,
  wall,
  peak,
});

const freshPoints = new WeakMap<Bench, Map<number, AccessPoint>>();

/** The directory of `tokens` fresh tokens, ten of each user; it is removed after the run. */
function freshTokens(bench: Bench, tokens: number): AccessPoint {
  const known = freshPoints.get(bench) ?? new Map<number, AccessPoint>();
  freshPoints.set(bench, known);
  const point = known.get(tokens) ?? bench.accessPoint();
  if (!known.has(tokens)) {
    bench.say(`writing ${tokens} fresh tokens`);
    fill(point.credentials, { users: tokens / 10, tokens, tokenUrl: TOKEN_URL });
    known.set(tokens, point);
  }
  return point;
}

const scansOf = (bench: Bench): Promise<ScanRun> => {
  const known = runs.get(bench) ?? measureScans(bench);
  runs.set(bench, known);
  return known;
};

async function measureScans(bench: Bench): Promise<ScanRun> {
  const { options, say } = bench;
  const tokens = options.quick ? 10_000 : 100_000;
  const point = freshTokens(bench, tokens);
  const ours = emptyScans();
  const against = bench.against === undefined ? undefined : emptyScans();
  const floors = { look: [], readUse: [], readAll: [] } as ScanRun['floors'];
  const fullLooks: Sample[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    say(`passes over ${tokens} tokens, round ${round + 1} of ${options.rounds}`);
    floors.readUse.push(wholeSample(await bench.floor('read-use', point.credentials)));
    await scanOnce(bench.ours, point, ours);
    floors.look.push(workSample(await bench.floor('look-again', point.credentials)));
    fullLooks.push(fullLookOf(bench, point.credentials));
    floors.readAll.push(wholeSample(await bench.floor('read-all', point.credentials)));
    if (bench.against && against) await scanOnce(bench.against, point, against);
  }
  return { tokens, users: tokens / 10, ours, against, floors, fullLooks };
}

/** A look at every file, in a process of its own: a daemon has one in minutes. */
function fullLookOf(bench: Bench, credentials: string): Sample {
  const words = [join(bench.repository, 'bench/dist/library.js'), 'look', '0', credentials];
  const output = execFileSync(process.execPath, words, {
    encoding: 'utf8',
    env: FLOOR_ENVIRONMENT,
  });
  const { look } = JSON.parse(output) as { look: number };
  return { value: look, cpu: look };
}

/** The work of a floor without the start of Node.js. */
export const workSample = ({ work, wall, peak }: FloorResult): Sample => ({
  value: work,
  cpu: work,
  wall,
  peak,
});

async function scanOnce(program: Program, point: AccessPoint, scans: Scans): Promise<void> {
  const daemon = await startDaemon(program, point, scanKnobs(point));
  await withDaemon(daemon, async () => {
    const { cpu, peak } = daemon.atComplete;
    scans.first.push({ value: cpu, cpu, wall: daemon.startSeconds, peak });
    await daemon.settled();
    const after = daemon.usage();
    scans.settled.push({ value: after.cpu, cpu: after.cpu, peak: after.peak });
    // The first look runs code for the first time.
    daemon.hup();
    await daemon.settled();
    const before = daemon.usage().cpu;
    const began = performance.now();
    daemon.hup();
    await daemon.settled();
    const looked = daemon.usage().cpu - before;
    scans.looks.push({
      value: looked,
      cpu: looked,
      // Without the time that shows that the daemon has come to rest.
      wall: Math.max(0, (performance.now() - began) / 1000 - 0.3),
    });
  });
}

const ofTokens = (tokens: number, users: number): string =>
  `${tokens.toLocaleString('en-US')} tokens of ${users.toLocaleString('en-US')} users`;

export const firstPass: Section = {
  name: 'first-pass',
  title: 'First pass after the start',
  measure: async (bench) => {
    const { tokens, users, ours, against, floors } = await scansOf(bench);
    const row = (name: string, part: 'first' | 'settled', floor: 'readUse' | 'readAll') => ({
      section: 'first-pass',
      name: `${name}, ${ofTokens(tokens, users)}, CPU`,
      unit: 's' as const,
      ours: ours[part],
      floor: floors[floor],
      floorName:
        floor === 'readUse'
          ? 'readdir, lstat of everything, read every .use'
          : 'readdir, open, fstat, read and close of everything',
      ...(against ? { against: against[part] } : {}),
    });
    return [
      {
        ...row('start to CREDMON_COMPLETE', 'first', 'readUse'),
        targets: [
          { of: 'floor', most: 1.1 },
          { of: 'against', most: 0.35 },
        ],
      },
      row('start until the daemon rests', 'settled', 'readAll'),
      await mixedRow(bench),
    ];
  },
  profile: async (bench, program) => {
    const point = freshTokens(bench, bench.options.quick ? 10_000 : 100_000);
    const daemon = await startDaemon(program, point, scanKnobs(point));
    await withDaemon(daemon, () => daemon.settled());
  },
};

/** One token in ten is broken: what errors add to a pass. */
async function mixedRow(bench: Bench): Promise<Measured> {
  const tokens = bench.options.quick ? 2000 : 10_000;
  const point = bench.accessPoint();
  const samples: Sample[] = [];
  const floor: Sample[] = [];
  try {
    fill(point.credentials, {
      users: tokens / 10,
      tokens,
      tokenUrl: TOKEN_URL,
      state: (index) => (index % 10 === 9 ? 'broken' : 'fresh'),
    });
    for (let round = 0; round < bench.options.rounds; round += 1) {
      floor.push(wholeSample(await bench.floor('read-use', point.credentials)));
      const daemon = await startDaemon(bench.ours, point, scanKnobs(point));
      await withDaemon(daemon, async () => {
        const { cpu, peak } = daemon.atComplete;
        samples.push({ value: cpu, cpu, peak, wall: daemon.startSeconds });
      });
    }
  } finally {
    point.remove();
  }
  return {
    section: 'first-pass',
    name: `the same, ${ofTokens(tokens, tokens / 10)}, one in ten broken, CPU`,
    unit: 's',
    ours: samples,
    floor,
    floorName: 'readdir, lstat of everything, read every .use',
  };
}

export const fullLook: Section = {
  name: 'full-look',
  title: 'Looks with nothing changed',
  measure: async (bench) => {
    const { tokens, users, ours, against, floors, fullLooks } = await scansOf(bench);
    return [
      {
        section: 'full-look',
        name: `a look at every file, ${ofTokens(tokens, users)}, CPU`,
        unit: 's',
        ours: fullLooks,
        floor: floors.look,
        floorName: 'readdir and lstat of everything',
        targets: [{ of: 'floor', most: 1.2 }],
        note: 'The scan alone, of @credmon/core in a process of its own: a daemon does it every 55 to 240 s.',
      },
      {
        section: 'full-look',
        name: `SIGHUP, ${ofTokens(tokens, users)}, CPU`,
        unit: 's',
        ours: ours.looks,
        floor: floors.look,
        floorName: 'readdir and lstat of everything',
        ...(against ? { against: against.looks } : {}),
        targets: [{ of: 'floor', most: 1.2 }],
        note: 'The daemon reads its configuration again, too, and looks only into directories that have changed.',
      },
    ];
  },
};

export const memory: Section = {
  name: 'memory',
  title: 'Memory',
  measure: async (bench) => {
    const { tokens, users, ours, against } = await scansOf(bench);
    const peaks = (samples: readonly Sample[]): Sample[] =>
      samples.map(({ peak = Number.NaN }) => ({ value: peak }));
    return [
      {
        section: 'memory',
        name: `peak, ${ofTokens(tokens, users)}`,
        unit: 'MiB',
        ours: peaks(ours.settled),
        ...(against ? { against: peaks(against.settled) } : {}),
        // The limit is for 100,000 tokens.
        targets: [{ of: 'value', most: 110 }],
      },
      await idleMemory(bench),
    ];
  },
};

async function idleMemory(bench: Bench): Promise<Measured> {
  const samples: Sample[] = [];
  const against: Sample[] = [];
  const floor: Sample[] = [];
  const point = bench.accessPoint();
  try {
    for (let round = 0; round < bench.options.rounds; round += 1) {
      for (const program of bench.programs('oauth')) {
        const daemon = await startDaemon(program, point, scanKnobs(point));
        await withDaemon(daemon, async () => {
          await daemon.settled();
          const { resident } = daemon.usage();
          (program === bench.ours ? samples : against).push({ value: resident });
        });
      }
      floor.push({ value: (await bench.floor('look', point.credentials)).peak });
    }
  } finally {
    point.remove();
  }
  return {
    section: 'memory',
    name: 'resident, empty directory, idle',
    unit: 'MiB',
    ours: samples,
    floor,
    floorName: 'a Node.js process that lists the empty directory',
    ...(against.length > 0 ? { against } : {}),
    targets: [{ of: 'value', most: 60 }],
  };
}

export const idle: Section = {
  name: 'idle',
  title: 'Idle daemon',
  measure: async (bench) => {
    const seconds = bench.options.quick ? 8 : 120;
    const tokens = bench.options.quick ? 10_000 : 100_000;
    const point = freshTokens(bench, tokens);
    const shares: Record<string, Sample[]> = {};
    bench.say(`idle daemons, ${seconds} s each`);
    for (const program of bench.programs('oauth')) {
      const daemon = await startDaemon(program, point, scanKnobs(point));
      await withDaemon(daemon, async () => {
        await daemon.settled();
        // The pass after the first one opens directories that were written just before the start.
        if (!bench.options.quick) await rest(FIRST_MINUTE);
        const before = daemon.usage().cpu;
        await rest(seconds * 1000);
        const used = daemon.usage().cpu - before;
        shares[program.name] = [{ value: (100 * used) / seconds, cpu: used, wall: seconds }];
      });
    }
    const against = bench.against && shares[bench.against.name];
    return [
      {
        section: 'idle',
        name: `share of a core over ${seconds} s, ${ofTokens(tokens, tokens / 10)}`,
        unit: '%',
        ours: shares[bench.ours.name] ?? [],
        ...(against ? { against } : {}),
        targets: [{ of: 'value', most: 0.5 }],
        note: bench.options.quick
          ? 'A full look comes every 55 s; a quick run may have none.'
          : 'From the second pass on. A full look comes every four minutes with so many tokens, so the time may have none.',
      },
    ];
  },
};

/** The median CPU of a scan run, for the growth. */
export const medianValue = (samples: readonly Sample[]): number =>
  medianOf(samples.map(({ value }) => value));
