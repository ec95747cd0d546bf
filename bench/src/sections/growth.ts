// Growth: passes, memory and a wave of renewals from 1,000 to 1,000,000 tokens.
import { rmSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { providerKnobs } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Section } from '../shared/bench.ts';
import { startDaemon } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { medianOf } from '../shared/statistics.ts';
import { fill, tokensOf, WARM_UP } from '../shared/tokens.ts';
import { wave } from './renewals.ts';
import { wholeSample } from './scan.ts';

/** One token in so many is renewed in the wave. */
const ONE_IN = 20;
/** Bytes of memory that the three files of a token take, at most. */
const TOKEN_BYTES = 18_000;
/** Tokens of a user; more in the largest directory, so that a file system has enough inodes. */
const perUser = (tokens: number): number => (tokens > 100_000 ? 20 : 10);

/** In memory, if there is room. */
function placeOf(bench: Bench, tokens: number): string {
  const inodes = statfsSync(bench.work).ffree;
  const fits = tokens * TOKEN_BYTES < freemem() && tokens * (3 + 1 / perUser(tokens)) < inodes;
  return fits ? bench.work : bench.disk;
}

/** A ratio of CPU a token above this is worse than linear, spread included. */
const LINEAR = 1.25;

interface Size {
  readonly tokens: number;
  readonly first: Sample[];
  readonly floor: Sample[];
  readonly against: Sample[];
  /** CPU ms a renewed token, and the peak memory until all are renewed. */
  readonly wave: Sample[];
}

async function measureSize(bench: Bench, tokens: number): Promise<Size> {
  const issuer = await bench.issuer();
  const point = bench.accessPoint(placeOf(bench, tokens));
  const size: Size = { tokens, first: [], floor: [], against: [], wave: [] };
  const population = { users: tokens / perUser(tokens), tokens, tokenUrl: issuer.tokenUrl };
  // The wave is of users of its own, whose files are written again and again.
  const due = {
    ...population,
    users: population.users / ONE_IN,
    tokens: tokens / ONE_IN,
    prefix: 'w',
  };
  const knobs = providerKnobs(point, 'mytok', issuer.tokenUrl);
  // A million tokens take minutes a round.
  const rounds = tokens > 100_000 ? 1 : bench.options.quick ? 2 : 3;
  try {
    bench.say(`writing ${tokens} tokens of ${population.users} users`);
    fill(point.credentials, {
      ...population,
      users: population.users - due.users,
      tokens: tokens - due.tokens,
    });
    fill(point.credentials, due);
    for (let round = 0; round < rounds; round += 1) {
      bench.say(`growth, ${tokens} tokens, round ${round + 1} of ${rounds}`);
      size.floor.push(wholeSample(await bench.floor('read-use', point.credentials)));
      for (const program of bench.programs('oauth')) {
        const daemon = await startDaemon(program, point, knobs);
        await withDaemon(daemon, async () => {
          const { cpu } = daemon.atComplete;
          await daemon.settled();
          const { peak } = daemon.usage();
          const sample = { value: cpu, cpu, wall: daemon.startSeconds, peak };
          (program === bench.ours ? size.first : size.against).push(sample);
          if (program !== bench.ours) return;
          // Users of another population: what runs for the first time is not measured.
          const others = { ...due, users: WARM_UP / 10, tokens: WARM_UP, prefix: `x${round}-` };
          fill(point.credentials, others);
          daemon.hup();
          await daemon.settled();
          await wave(daemon, issuer, point, others);
          const { cpu: each, wall } = await wave(daemon, issuer, point, due);
          const afterWave = daemon.usage().peak;
          size.wave.push({
            value: each * 1000,
            cpu: each * due.tokens,
            wall,
            peak: afterWave,
          });
          for (const { directory } of tokensOf(point.credentials, others))
            rmSync(directory, { recursive: true, force: true });
        });
      }
    }
    return size;
  } finally {
    await issuer.stop();
    point.remove();
  }
}

export const growth: Section = {
  name: 'growth',
  title: 'Growth',
  measure: async (bench) => {
    const { quick, full } = bench.options;
    const sizes: Size[] = [];
    for (const tokens of quick ? [1000, 10_000] : [1000, 10_000, 100_000, ...(full ? [1e6] : [])])
      sizes.push(await measureSize(bench, tokens));
    const line = (
      plot: string,
      axis: string,
      subject: string,
      of: (size: Size) => number | undefined,
    ): void => {
      const points = sizes.flatMap((size) => {
        const y = of(size);
        return y === undefined || Number.isNaN(y) ? [] : [{ x: size.tokens, y }];
      });
      if (points.length > 0) bench.growth.push({ plot, axis, subject, points });
    };
    const median = (samples: readonly Sample[], field: 'value' | 'wall' | 'peak'): number =>
      medianOf(samples.flatMap((sample) => sample[field] ?? []));
    line('pass', 'first pass, CPU s', 'credmon', ({ first }) => median(first, 'value'));
    line('pass', 'first pass, CPU s', 'floor', ({ floor }) => median(floor, 'value'));
    line('start', 'start, wall s', 'credmon', ({ first }) => median(first, 'wall'));
    line('memory', 'peak memory, MiB', 'credmon', ({ first }) => median(first, 'peak'));
    line('memory', 'peak memory, MiB', 'with the wave', (size) => median(size.wave, 'peak'));
    line(
      'wave',
      'wave of renewals, CPU s',
      'credmon',
      (size) => (median(size.wave, 'value') * size.tokens) / ONE_IN / 1000,
    );
    line('pass', 'first pass, CPU s', 'other', ({ against }) => median(against, 'value'));
    line('start', 'start, wall s', 'other', ({ against }) => median(against, 'wall'));
    line('memory', 'peak memory, MiB', 'other', ({ against }) => median(against, 'peak'));
    return [...sizes.flatMap(rowsOf), ...linearRows(sizes)];
  },
};

function rowsOf({ tokens, first, floor, against, wave: waves }: Size): Measured[] {
  const count = `${tokens.toLocaleString('en-US')} tokens`;
  return [
    {
      section: 'growth',
      name: `${count}, first pass, CPU`,
      unit: 's',
      ours: first,
      floor,
      floorName: 'readdir, lstat of everything, read every .use',
      ...(against.length > 0 ? { against } : {}),
    },
    {
      section: 'growth',
      name: `${count}, peak memory`,
      unit: 'MiB',
      ours: first.map(({ peak = Number.NaN }) => ({ value: peak })),
      ...(against.length > 0
        ? { against: against.map(({ peak = Number.NaN }) => ({ value: peak })) }
        : {}),
      ...(tokens === 1e6 ? { targets: [{ of: 'value', most: 600 }] } : {}),
      ...(tokens === 1e5 ? { targets: [{ of: 'value', most: 110 }] } : {}),
    },
    {
      section: 'growth',
      name: `${count}, one in ${ONE_IN} renewed, CPU a renewed token`,
      unit: 'ms',
      ours: waves,
    },
  ];
}

/** CPU a token of each size, in multiples of the size before: 1 is linear. */
function linearRows(sizes: readonly Size[]): Measured[] {
  return sizes.slice(1).flatMap((size, index) => {
    const before = sizes[index] ?? size;
    const row = (what: string, each: (one: Size) => number): Measured => ({
      section: 'growth',
      name: `${what} at ${size.tokens.toLocaleString('en-US')}, of that at ${before.tokens.toLocaleString('en-US')}`,
      unit: 'x',
      ours: [{ value: each(size) / each(before) }],
      targets: [{ of: 'value', most: LINEAR }],
    });
    const middle = (samples: readonly Sample[]): number =>
      medianOf(samples.map(({ value }) => value));
    return [
      row('first pass, CPU a token', ({ tokens, first }) => middle(first) / tokens),
      row('CPU a renewed token', ({ wave: waves }) => middle(waves)),
    ];
  });
}
