// Local signing: many new tokens at once, and the time from SIGHUP to one new token.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as rest } from 'node:timers/promises';
import { localKnobs, providerKnobs, removeTree, type AccessPoint } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Section } from '../shared/bench.ts';
import { startDaemon, type Daemon, type Program } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { medianOf, percentileOf } from '../shared/statistics.ts';
import { fill, makeDue, tokensOf, type Population } from '../shared/tokens.ts';

type Algorithm = 'ES256' | 'RS256';

/** Milliseconds for a batch of tokens, also on a busy machine. */
const LIMIT = 300_000;

/** CPU seconds a token of a batch of new tokens; `value` in ms. */
async function batch(daemon: Daemon, point: AccessPoint, population: Population): Promise<Sample> {
  const before = daemon.usage().cpu;
  fill(point.credentials, { ...population, kind: 'local', state: 'new' });
  const began = Date.now() / 1000;
  daemon.hup();
  const files = [...tokensOf(point.credentials, { ...population, kind: 'local' })];
  // On a busy machine a daemon may do nothing for a moment before it has signed all tokens.
  const until = performance.now() + LIMIT;
  for (;;) {
    await daemon.settled();
    const missing = files.filter(({ stem }) => !existsSync(`${stem}.use`));
    if (missing.length === 0) break;
    if (performance.now() > until)
      throw new Error(`${missing.length} of ${files.length} were not signed`);
  }
  const last = files.reduce(
    (latest, { stem }) => Math.max(latest, statSync(`${stem}.use`).mtimeMs / 1000),
    0,
  );
  const { cpu, peak } = daemon.usage();
  const each = (cpu - before) / files.length;
  return { value: each * 1000, cpu: cpu - before, wall: last - began, peak };
}

/** Removes users of one token each, and waits until the daemon has forgotten them. */
async function removeUsers(
  daemon: Daemon,
  { credentials }: AccessPoint,
  population: Population,
): Promise<void> {
  // What it sees of files that are half removed would be another case.
  daemon.pause();
  for (const { directory } of tokensOf(credentials, population))
    rmSync(directory, { recursive: true });
  daemon.resume();
  daemon.hup();
  await daemon.settled();
}

async function signing(bench: Bench, algorithm: Algorithm, tokens: number): Promise<Measured> {
  const point = bench.accessPoint();
  const [ours, against, floor]: [Sample[], Sample[], Sample[]] = [[], [], []];
  // The Python program signs one token a user, with ES256.
  const programs = algorithm === 'ES256' ? bench.programs('local') : [bench.ours];
  // More than one daemon cannot run over the same directory.
  const running: (readonly [Daemon, AccessPoint, Sample[]])[] = [];
  try {
    for (const program of programs) {
      const own = program === bench.ours ? point : bench.accessPoint();
      const daemon = await startDaemon(program, own, localKnobs(own, algorithm));
      running.push([daemon, own, program === bench.ours ? ours : against]);
      await daemon.settled();
      await batch(daemon, own, { users: tokens, tokens, prefix: 'w' });
      await removeUsers(daemon, own, { users: tokens, tokens, prefix: 'w' });
    }
    for (let round = 0; round < bench.options.rounds; round += 1) {
      bench.say(`signing ${tokens} ${algorithm} tokens, round ${round + 1}`);
      const directory = mkdtempSync(join(bench.work, 'signed-'));
      const { work, wall, peak } = await bench.floor(
        'signed-again',
        directory,
        tokens,
        point.key(algorithm),
        algorithm,
      );
      removeTree(directory);
      floor.push({ value: (work / tokens) * 1000, cpu: work, wall, peak });
      const population = { users: tokens, tokens, prefix: `r${round}-` };
      for (const [daemon, own, samples] of running) {
        samples.push(await batch(daemon, own, population));
        await removeUsers(daemon, own, population);
      }
    }
  } finally {
    for (const [daemon, own] of running) {
      await daemon.stop();
      own.remove();
    }
    point.remove();
  }
  return {
    section: 'local',
    name: `${tokens.toLocaleString('en-US')} new ${algorithm} tokens of as many users, CPU a token`,
    unit: 'ms',
    ours,
    floor,
    floorName: 'sign, write, rename',
    ...(against.length > 0 ? { against } : {}),
    targets: [{ of: 'floor', most: 2 }],
    note: `${Math.round(tokens / medianOf(ours.map(({ wall = Number.NaN }) => wall)))} tokens a second.`,
  };
}

export const local: Section = {
  name: 'local',
  title: 'Local signing',
  measure: async (bench) => {
    const tokens = bench.options.quick ? 2000 : 10_000;
    return [await signing(bench, 'ES256', tokens), await signing(bench, 'RS256', tokens / 2)];
  },
  profile: async (bench, program) => {
    const point = bench.accessPoint();
    const tokens = bench.options.quick ? 1000 : 10_000;
    try {
      const daemon = await startDaemon(program, point, localKnobs(point));
      await withDaemon(daemon, async () => {
        await daemon.settled();
        await batch(daemon, point, { users: tokens, tokens });
      });
    } finally {
      point.remove();
    }
  },
};

/** Requests that are not measured: code that runs for the first time. */
const REQUESTS_BEFORE = 10;

/** Milliseconds from SIGHUP to the `.use` of a user who is new. */
async function waitFor(daemon: Daemon, point: AccessPoint, user: string): Promise<number> {
  const home = join(point.credentials, user);
  mkdirSync(home, { mode: 0o700 });
  writeFileSync(join(home, 'scitokens.top'), 'x', { mode: 0o600 });
  const began = performance.now();
  daemon.hup();
  const use = join(home, 'scitokens.use');
  while (!existsSync(use)) {
    if (performance.now() - began > 60_000) throw new Error(`no ${use} after 60 s`);
    await turn();
  }
  return performance.now() - began;
}

async function waits(
  bench: Bench,
  program: Program,
  point: AccessPoint,
  prefix: string,
): Promise<number[]> {
  const daemon = await startDaemon(program, point, localKnobs(point));
  return withDaemon(daemon, async () => {
    await daemon.settled();
    // Right after the start every directory has just changed.
    await rest(bench.options.quick ? 1000 : 15_000);
    const found: number[] = [];
    for (let n = 0; n < REQUESTS_BEFORE + (bench.options.quick ? 30 : 300); n += 1) {
      found.push(await waitFor(daemon, point, `${prefix}${n}`));
      await rest(50 + (n % 7) * 31);
    }
    return found.slice(REQUESTS_BEFORE);
  });
}

/** The floor: a process that signs and writes at the signal. */
async function signalFloor(bench: Bench, point: AccessPoint): Promise<number[]> {
  const directory = mkdtempSync(join(bench.disk, 'signals-'));
  const server = await bench.server('signals', directory, point.key('ES256'));
  const found: number[] = [];
  for (let n = 0; n < REQUESTS_BEFORE + 30; n += 1) {
    mkdirSync(join(directory, `n${n}`));
    await rest(30);
    const began = performance.now();
    server.child.kill('SIGHUP');
    while (!existsSync(join(directory, `n${n}`, 't0.use'))) await turn();
    found.push(performance.now() - began);
  }
  await server.stop();
  removeTree(directory);
  return found.slice(REQUESTS_BEFORE);
}

/** Requests while due OAuth tokens are renewed, from the first renewal to the last. */
async function duringRenewals(bench: Bench, point: AccessPoint): Promise<number[]> {
  const issuer = await bench.issuer();
  const population = { users: 100, tokens: bench.options.quick ? 400 : 4000, prefix: 'b' };
  const oauth = { ...population, tokenUrl: issuer.tokenUrl };
  fill(point.credentials, oauth);
  const knobs = { ...localKnobs(point), ...providerKnobs(point, 'mytok', issuer.tokenUrl) };
  try {
    const daemon = await startDaemon(bench.ours, point, knobs);
    return await withDaemon(daemon, async () => {
      await daemon.settled();
      daemon.pause();
      for (const { stem } of tokensOf(point.credentials, oauth)) makeDue(stem);
      daemon.resume();
      daemon.hup();
      const found: number[] = [];
      const until = performance.now() + 120_000;
      for (let n = 0; (await issuer.stats()).answers < population.tokens; n += 1) {
        if (performance.now() > until) throw new Error('the renewals did not end in 120 s');
        const wait = await waitFor(daemon, point, `during${n}`);
        if ((await issuer.stats()).answers > 0) found.push(wait);
        await rest(20);
      }
      return found;
    });
  } finally {
    await issuer.stop();
  }
}

export const signals: Section = {
  name: 'sighup',
  title: 'SIGHUP to a new .use',
  measure: async (bench) => {
    const tokens = bench.options.quick ? 2000 : 20_000;
    const point = bench.accessPoint(bench.disk);
    const count = tokens.toLocaleString('en-US');
    try {
      bench.say(`SIGHUP to .use with ${tokens} tokens`);
      fill(point.credentials, { users: tokens, tokens, kind: 'local' });
      const floor = await signalFloor(bench, point);
      const ours = await waits(bench, bench.ours, point, 'new');
      const other = bench.programs('local')[1];
      const against = other && (await waits(bench, other, point, 'other'));
      const during = await duringRenewals(bench, point);
      const row = (share: number, name: string): Measured => ({
        section: 'sighup',
        name: `${count} tokens of as many users, ${name}`,
        unit: 'ms',
        ours: [{ value: percentileOf(ours, share) }],
        floor: [{ value: percentileOf(floor, share) }],
        floorName: 'a process that signs and writes one token at the signal',
        ...(against ? { against: [{ value: percentileOf(against, share) }] } : {}),
        ...(share === 0.99 ? { targets: [{ of: 'value', most: 30 }] } : {}),
      });
      return [
        row(0.5, 'median'),
        row(0.99, '99th percentile'),
        {
          section: 'sighup',
          name: 'while OAuth tokens are renewed, median',
          unit: 'ms',
          ours: [{ value: medianOf(during) }],
        },
        {
          section: 'sighup',
          name: 'while OAuth tokens are renewed, 99th percentile',
          unit: 'ms',
          ours: [{ value: percentileOf(during, 0.99) }],
          targets: [{ of: 'value', most: 50 }],
          note: `${during.length} requests.`,
        },
      ];
    } finally {
      point.remove();
    }
  },
};
