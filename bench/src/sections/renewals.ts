// Renewals: due tokens against an issuer that answers at once, after 20 ms and after
// 200 ms, with rotation.
import { mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { providerKnobs, removeTree, type AccessPoint, type Knobs } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Issuer, type Section } from '../shared/bench.ts';
import { startDaemon, type Daemon, type Program } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { medianOf } from '../shared/statistics.ts';
import { fill, makeDue, tokensOf, WARM_UP, type Population } from '../shared/tokens.ts';

/** A wave of renewals: tokens a second, and CPU seconds a token. */
export interface Wave {
  readonly rate: number;
  readonly cpu: number;
  readonly wall: number;
}

/** One case: the issuer's latency, and the cap of renewals at a time. */
interface Case {
  readonly latency: number;
  readonly cap: number;
  readonly tokens: number;
  readonly least?: number;
}

/** The program's default of CREDMON_RENEWALS_PER_ISSUER. */
const CAP = 16;

/** Makes the tokens of `population` due, and measures until all are renewed. */
export async function wave(
  daemon: Daemon,
  issuer: Issuer,
  point: AccessPoint,
  population: Population,
): Promise<Wave> {
  await issuer.forget();
  const tokens = [...tokensOf(point.credentials, population)];
  // Whatever it sees of files that are half written would be another case.
  daemon.pause();
  for (const { stem } of tokens) makeDue(stem);
  await rest(daemon.dueAfter);
  const before = daemon.usage().cpu;
  daemon.resume();
  daemon.hup();
  const until = performance.now() + 60_000 + tokens.length * 100;
  for (let stats = await issuer.stats(); stats.answers < tokens.length;) {
    await rest(50);
    if (performance.now() > until || stats.refused > 0)
      throw new Error(`not all of ${tokens.length} were renewed: ${JSON.stringify(stats)}`);
    stats = await issuer.stats();
  }
  await daemon.settled();
  const { first, reused } = await issuer.stats();
  if (reused > 0) throw new Error(`${reused} refresh tokens were sent again after rotation`);
  const last = tokens.reduce((latest, { stem }) => Math.max(latest, changed(`${stem}.use`)), 0);
  const cpu = (daemon.usage().cpu - before) / tokens.length;
  return { rate: tokens.length / (last - first), cpu, wall: last - first };
}

const changed = (path: string): number => statSync(path).mtimeMs / 1000;

/** A daemon that has renewed some tokens, and its tokens of each round. */
interface Running {
  readonly daemon: Daemon;
  readonly point: AccessPoint;
  readonly waves: Wave[];
}

/** The tokens of a round: a token is not renewed twice within a short time. */
const populationOf = (prefix: string, tokens: number): Population => ({
  users: Math.ceil(tokens / 10),
  tokens,
  prefix,
});

/** Starts a daemon over the tokens of all rounds, and lets it renew some. */
async function startWarm(
  program: Program,
  { point, issuer, rounds, one }: { point: AccessPoint; issuer: Issuer; rounds: number; one: Case },
): Promise<Running> {
  const warmUp = populationOf('w', WARM_UP);
  const populations = Array.from({ length: rounds }, (_, n) => populationOf(`r${n}-`, one.tokens));
  for (const population of [warmUp, ...populations])
    fill(point.credentials, { ...population, tokenUrl: issuer.tokenUrl });
  const knobs: Knobs = {
    ...providerKnobs(point, 'mytok', issuer.tokenUrl),
    CREDMON_RENEWALS_PER_ISSUER: one.cap,
  };
  const daemon = await startDaemon(program, point, knobs);
  try {
    await daemon.settled();
    await wave(daemon, issuer, point, warmUp);
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return { daemon, point, waves: [] };
}

/** `durable` are the writes of the first case, if they are not measured again. */
async function measureCase(
  bench: Bench,
  one: Case,
  durable: Sample[] | undefined,
): Promise<{ readonly rows: readonly Measured[]; readonly durable: Sample[] }> {
  const { latency, cap, tokens, least } = one;
  const { options, say } = bench;
  const issuer = await bench.issuer({ latency });
  const floors = { durable: durable ?? [], posts: [] as Sample[], bare: [] as Sample[] };
  // Fewer are enough for floors, which take the same time for each token.
  const floorTokens = options.quick ? tokens / 2 : tokens;
  const running: Running[] = [];
  const programs = latency === 0 ? bench.programs('oauth') : [bench.ours];
  try {
    for (const program of programs)
      running.push(
        await startWarm(program, {
          point: bench.accessPoint(bench.disk),
          issuer,
          rounds: options.rounds,
          one,
        }),
      );
    for (let round = 0; round < options.rounds; round += 1) {
      say(`renewing ${tokens} tokens, ${latency} ms, round ${round + 1} of ${options.rounds}`);
      if (durable === undefined) floors.durable.push(await durableFloor(bench, floorTokens));
      // The latency decides: again and again the same.
      if (round === 0 || latency === 0 || !options.quick) {
        const posted = await bench.floor('posts', issuer.port, tokens, cap);
        floors.posts.push({ value: tokens / posted.wall, cpu: posted.work / tokens });
      }
      if (latency === 0) floors.bare.push(await bareLoop(bench, issuer, floorTokens));
      for (const { daemon, point, waves } of running)
        waves.push(await wave(daemon, issuer, point, populationOf(`r${round}-`, tokens)));
    }
  } finally {
    for (const { daemon } of running) await daemon.stop();
    await issuer.stop();
    for (const { point } of running) point.remove();
  }
  const [ours = [], against = []] = running.map(({ waves }) => waves);
  const slower = floors.durable.map(({ value }, index) => ({
    value: Math.min(value, (floors.posts[index] ?? floors.posts[0])?.value ?? value),
  }));
  const what = `${tokens.toLocaleString('en-US')} tokens, issuer answers ${latency === 0 ? 'at once' : `after ${latency} ms`}${cap === CAP ? '' : `, ${cap} at a time`}`;
  const rates: Measured = {
    section: 'renewals',
    name: `${what}, tokens a second`,
    unit: '/s',
    ours: ours.map(sampleOf),
    ...(latency === 0
      ? { floor: floors.durable, floorName: 'two files written, fsynced and renamed, 32 at a time' }
      : {
          floor: slower,
          floorName: `the slower of that and of bare POST requests over ${cap} connections`,
        }),
    ...(against.length > 0 ? { against: against.map(sampleOf) } : {}),
    targets: least === undefined ? [{ of: 'floor', least: 0.6 }] : [{ of: 'value', least }],
    note: `bare POST requests: ${Math.round(medianOf(floors.posts.map(({ value }) => value)))} /s; durable writes: ${Math.round(medianOf(floors.durable.map(({ value }) => value)))} /s.`,
  };
  if (latency > 0) return { rows: [rates], durable: floors.durable };
  const milliseconds = (all: readonly Wave[]): Sample[] =>
    all.map(({ cpu }) => ({ value: cpu * 1000 }));
  const bareName = 'a loop in one process that only exchanges, reads, writes and fsyncs';
  const floorCpu = floors.durable.map(({ cpu = 0 }) => ({ value: cpu * 1000 }));
  const rows: readonly Measured[] = [
    rates,
    {
      section: 'renewals',
      name: `${what}, CPU a token`,
      unit: 'ms',
      ours: milliseconds(ours),
      floor: floorCpu,
      floorName: 'two files written, fsynced and renamed, 32 at a time',
      ...(against.length > 0 ? { against: milliseconds(against) } : {}),
    },
    {
      section: 'renewals',
      name: `${what}, CPU a token beside that of the writes`,
      unit: 'ms',
      ours: ours.map(({ cpu }, index) => ({
        value: cpu * 1000 - (floorCpu[index]?.value ?? 0),
      })),
      targets: [{ of: 'value', most: 2 }],
    },
    {
      section: 'renewals',
      name: `${what}, tokens a second beside the bare loop`,
      unit: '/s',
      ours: ours.map(sampleOf),
      floor: floors.bare,
      floorName: bareName,
    },
    {
      section: 'renewals',
      name: `${what}, CPU a token beside the bare loop`,
      unit: 'ms',
      ours: milliseconds(ours),
      floor: floors.bare.map(({ cpu = 0 }) => ({ value: cpu * 1000 })),
      floorName: bareName,
    },
  ];
  return { rows, durable: floors.durable };
}

const sampleOf = ({ rate, cpu, wall }: Wave): Sample => ({
  value: rate,
  cpu: cpu * rate * wall,
  wall,
});

/** Durable writes: tokens a second, and CPU seconds a token. */
async function durableFloor(bench: Bench, tokens: number): Promise<Sample> {
  const directory = mkdtempSync(join(bench.disk, 'durable-'));
  const { wall, work } = await bench.floor('durable', directory, tokens, 32);
  removeTree(directory);
  return { value: tokens / wall, cpu: work / tokens, wall };
}

/**
 * What a renewal cannot do without, on tokens of its own: tokens a second, and CPU seconds a
 * token.
 */
async function bareLoop(bench: Bench, issuer: Issuer, tokens: number): Promise<Sample> {
  const point = bench.accessPoint(bench.disk);
  fill(point.credentials, { users: Math.ceil(tokens / 10), tokens, tokenUrl: issuer.tokenUrl });
  fill(point.credentials, { ...populationOf('w', WARM_UP), tokenUrl: issuer.tokenUrl });
  const { wall, work } = await bench.floor('renewed', point.credentials, issuer.port, tokens);
  point.remove();
  return { value: tokens / wall, cpu: work / tokens, wall };
}

/** Says what the issuer can do, which must be far above what is measured. */
async function issuerCapacity(bench: Bench): Promise<void> {
  const issuer = await bench.issuer({ rotation: false });
  const rates: number[] = [];
  for (let round = 0; round < 3; round += 1)
    rates.push(Number((await bench.floor('capacity', issuer.port, 60_000, 8)).result));
  const { answers, cpu } = await issuer.stats();
  await issuer.stop();
  const line = `The issuer of the benchmarks answers ${Math.round(medianOf(rates)).toLocaleString('en-US')} requests a second (${Math.round(answers / cpu).toLocaleString('en-US')} a CPU second).`;
  bench.say(line);
  bench.remarks.push(line);
}

export const renewals: Section = {
  name: 'renewals',
  title: 'Renewals',
  measure: async (bench) => {
    await issuerCapacity(bench);
    const tokens = bench.options.quick ? 400 : 3000;
    const rows: Measured[] = [];
    let durable: Sample[] | undefined;
    for (const one of [
      { latency: 0, cap: CAP, tokens },
      { latency: 20, cap: CAP, tokens, least: 700 },
      { latency: 200, cap: 100, tokens, least: 400 },
    ]) {
      const measured = await measureCase(bench, one, durable);
      rows.push(...measured.rows);
      if (bench.options.quick) durable = measured.durable;
    }
    return rows;
  },
  profile: async (bench: Bench, program: Program) => {
    const point = bench.accessPoint(bench.disk);
    const issuer = await bench.issuer();
    const population: Population = { users: 300, tokens: 3000 };
    try {
      fill(point.credentials, { ...population, tokenUrl: issuer.tokenUrl });
      const daemon = await startDaemon(
        program,
        point,
        providerKnobs(point, 'mytok', issuer.tokenUrl),
      );
      await withDaemon(daemon, async () => {
        await daemon.settled();
        await wave(daemon, issuer, point, population);
      });
    } finally {
      await issuer.stop();
      point.remove();
    }
  },
};
