// The guards of CI: CPU seconds, bytes and counts of system calls, as ratios to floors of
// the same run. Wall time is none of them.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { localKnobs, providerKnobs, removeTree, type AccessPoint } from './shared/access-point.ts';
import { FLOOR_ENVIRONMENT, withDaemon, type Bench, type Issuer } from './shared/bench.ts';
import { countCommand, mapCounts, type Counts } from './shared/counts.ts';
import { bytesOf } from './shared/processes.ts';
import { startDaemon, type Daemon } from './shared/programs.ts';
import type { Ratios } from './shared/recorded.ts';
import { medianOf } from './shared/statistics.ts';
import { fill, makeDue, tokensOf, type Population } from './shared/tokens.ts';
import { wave } from './sections/renewals.ts';

const ROUNDS = 5;
/** Tokens of a pass, of a wave of renewals and of a batch of local tokens. */
const [PASS, WAVE, BATCH] = [2000, 100, 200];
/** Tokens of a floor: enough that its CPU time can be measured. */
const FLOOR = 1500;

/** Tokens of a round whose system calls are counted. */
const COUNTED = 200;

const waveOf = (prefix: string, tokens: number): Population => ({
  users: tokens / 10,
  tokens,
  prefix,
});

/** The median of what each round gives. */
async function median(of: (round: number) => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) values.push(await of(round));
  return medianOf(values);
}

/** Measures all guards; takes about half a minute on two cores. */
export async function measureGuards(bench: Bench): Promise<Ratios> {
  return {
    ...(await passGuards(bench)),
    ...commandGuards(bench),
    ...(await changeGuards(bench)),
  };
}

/** First pass and full look over fresh tokens. */
async function passGuards(bench: Bench): Promise<Ratios> {
  bench.say('guards: passes');
  const point = bench.accessPoint();
  const knobs = providerKnobs(point, 'mytok', 'https://issuer.example/token');
  try {
    fill(point.credentials, { users: PASS / 10, tokens: PASS });
    const looks: number[] = [];
    const first = await median(async () => {
      const floor = await bench.floor('read-use', point.credentials);
      const looked = await bench.floor('look', point.credentials);
      const daemon = await startDaemon(bench.ours, point, knobs);
      return withDaemon(daemon, async () => {
        await daemon.settled();
        const before = daemon.usage().cpu;
        daemon.hup();
        await daemon.settled();
        looks.push((daemon.usage().cpu - before) / looked.work);
        return daemon.atComplete.cpu / floor.cpu;
      });
    });
    return { 'first pass: CPU': first, 'full look: CPU': medianOf(looks) };
  } finally {
    point.remove();
  }
}

/** The commands whose start is held. */
const COMMANDS: readonly (readonly string[])[] = [
  ['--version'],
  ['usable', 'alice', 'mytok'],
  ['--once'],
];

/** CPU of commands beside `node -e 0`, in turn. */
function commandGuards(bench: Bench): Ratios {
  bench.say('guards: commands');
  const point = bench.accessPoint();
  const environment = point.configure(
    providerKnobs(point, 'mytok', 'https://issuer.example/token'),
  );
  const program = [process.execPath, bench.installed('condor_credmon')];
  const ratios = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    // Enough runs that the system's ticks of 10 ms are exact enough.
    const floor = bench.command([process.execPath, '-e', '0'], environment, 10).value;
    for (const words of COMMANDS) {
      const name = `${words[0]}: CPU`;
      const { value } = bench.command([...program, ...words], environment, 4);
      ratios.set(name, [...(ratios.get(name) ?? []), value / floor]);
    }
  }
  point.remove();
  return Object.fromEntries([...ratios].map(([name, values]) => [name, medianOf(values)]));
}

/** What was done for the tokens of a round. */
interface Work {
  readonly calls: Counts;
  readonly read: number;
  readonly written: number;
}

/** New fresh tokens, renewals and local tokens in one daemon. */
async function changeGuards(bench: Bench): Promise<Ratios> {
  bench.say('guards: changes');
  const point = bench.accessPoint();
  const issuer = await bench.issuer();
  const knobs = { ...providerKnobs(point, 'mytok', issuer.tokenUrl), ...localKnobs(point) };
  try {
    // A token is not renewed twice within a short time: each wave has its own.
    for (let round = 0; round <= ROUNDS; round += 1)
      fill(point.credentials, { ...waveOf(`w${round}`, WAVE), tokenUrl: issuer.tokenUrl });
    const daemon = await startDaemon(bench.ours, point, knobs);
    const cpu = await withDaemon(daemon, async () => {
      await daemon.settled();
      return {
        ...(await renewalCpu(bench, daemon, point, issuer)),
        ...(await localCpu(bench, daemon, point)),
      };
    });
    return { ...cpu, ...(await callGuards(bench, issuer)) };
  } finally {
    await issuer.stop();
    point.remove();
  }
}

async function renewalCpu(
  bench: Bench,
  daemon: Daemon,
  point: AccessPoint,
  issuer: Issuer,
): Promise<Ratios> {
  bench.say('guards: CPU of renewals and of local signing');
  // The first wave loads and compiles.
  await wave(daemon, issuer, point, waveOf(`w${ROUNDS}`, WAVE));
  const cpu = await median(async (round) => {
    const { work } = await floorIn(bench, (directory) => ['durable-in-turn', directory, FLOOR]);
    const { cpu: each } = await wave(daemon, issuer, point, waveOf(`w${round}`, WAVE));
    return (each * FLOOR) / work;
  });
  return { 'renewal: CPU': cpu };
}

async function localCpu(bench: Bench, daemon: Daemon, point: AccessPoint): Promise<Ratios> {
  const key = point.key('ES256');
  const cpu = await median(async (round) => {
    const { work } = await floorIn(bench, (directory) => ['signed', directory, FLOOR, key]);
    const before = daemon.usage().cpu;
    await newTokens(daemon, point, `l${round}`, BATCH, 'local');
    return ((daemon.usage().cpu - before) * FLOOR) / BATCH / work;
  });
  return { 'local signing: CPU': cpu };
}

/** Writes tokens of new users, and waits until the daemon has dealt with them. */
async function newTokens(
  daemon: Daemon,
  point: AccessPoint,
  prefix: string,
  tokens: number,
  kind: 'local' | 'oauth',
): Promise<void> {
  const population: Population = { users: tokens / 10, tokens, prefix, kind };
  daemon.pause();
  fill(point.credentials, { ...population, state: kind === 'local' ? 'new' : 'fresh' });
  daemon.resume();
  daemon.hup();
  await daemon.settled();
}

/** A floor in a directory of its own. */
async function floorIn(
  bench: Bench,
  words: (directory: string) => readonly (string | number)[],
): Promise<Awaited<ReturnType<Bench['floor']>>> {
  const directory = mkdtempSync(join(bench.work, 'floor-'));
  try {
    return await bench.floor(...words(directory));
  } finally {
    removeTree(directory);
  }
}

/** Counts and bytes a token: new fresh tokens, renewals, local tokens. */
async function callGuards(bench: Bench, issuer: Issuer): Promise<Ratios> {
  bench.say('guards: system calls');
  const sample = join(bench.work, 'sample');
  fill(sample, waveOf('u', COUNTED));
  const key = join(bench.work, 'key.pem');
  writeFileSync(
    key,
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'sec1',
      format: 'pem',
    }),
  );
  const made = (name: string): string => mkdtempSync(join(bench.work, name));
  const readFloor = await floorWork(bench, (n) => ['read-use', n > 0 ? sample : made('empty-')]);
  const writeFloor = await floorWork(bench, (n) => ['durable-in-turn', made('d-'), n]);
  const signFloor = await floorWork(bench, (n) => ['signed', made('s-'), n, key]);
  const looks = onceOf(bench, issuer, (point) => fill(point.credentials, waveOf('f', COUNTED)));
  const renewals = onceOf(bench, issuer, (point) => {
    fill(point.credentials, { ...waveOf('c', COUNTED), tokenUrl: issuer.tokenUrl });
    for (const { stem } of tokensOf(point.credentials, waveOf('c', COUNTED))) makeDue(stem);
  });
  const signed = onceOf(bench, issuer, (point) =>
    fill(point.credentials, { ...waveOf('s', COUNTED), kind: 'local', state: 'new' }),
  );
  return {
    ...ratiosOf('first look', looks, readFloor, { open: 'open', stat: 'stat', read: 'read' }),
    'first look: bytes read': medianOf(looks.map(({ read }) => read / readFloor.read)),
    // The floor does not look: calls for each file that it writes.
    ...ratiosOf('renewal', renewals, writeFloor, {
      fsync: 'fsync',
      rename: 'rename',
      open: 'open',
      stat: 'rename',
    }),
    'renewal: bytes written': medianOf(renewals.map(({ written }) => written / writeFloor.written)),
    ...ratiosOf('local signing', signed, signFloor, {
      fsync: 'rename',
      rename: 'rename',
      open: 'open',
      stat: 'rename',
    }),
    'local signing: bytes written': medianOf(
      signed.map(({ written }) => written / signFloor.written),
    ),
  };
}

/** Rounds of counts, which hardly differ. */
const COUNTS = 3;

/**
 * What one pass of the daemon (`--once`) does for the tokens that `write` makes, without
 * what it does for an empty directory.
 */
function onceOf(
  bench: Bench,
  issuer: Issuer,
  write: (point: AccessPoint) => void,
): readonly Work[] {
  return Array.from({ length: COUNTS }, () => {
    const run = (prepare: (point: AccessPoint) => void): Work => {
      const [traced, plain] = [bench.accessPoint(), bench.accessPoint()];
      try {
        const environments = [traced, plain].map((point) => {
          prepare(point);
          const provider = providerKnobs(point, 'mytok', issuer.tokenUrl);
          return point.configure({ ...provider, ...localKnobs(point) });
        });
        const words = [process.execPath, bench.installed('condor_credmon'), '--once'];
        const calls = countCommand(words, join(bench.work, 'calls'), environments[0] ?? {});
        // The bytes of a child that has ended are added to those of this process.
        const before = bytesOf(process.pid);
        bench.command(words, environments[1] ?? {}, 1);
        const after = bytesOf(process.pid);
        return { calls, read: after.read - before.read, written: after.written - before.written };
      } finally {
        traced.remove();
        plain.remove();
      }
    };
    const none = run(() => undefined);
    const some = run(write);
    return {
      calls: mapCounts((group) => Math.max(0, some.calls[group] - none.calls[group])),
      read: Math.max(0, some.read - none.read),
      written: Math.max(0, some.written - none.written),
    };
  });
}

/** What a floor does for the tokens of a round, without what it does with none. */
async function floorWork(
  bench: Bench,
  words: (tokens: number) => readonly (string | number)[],
): Promise<Work> {
  const file = join(bench.work, 'calls');
  const child = join(bench.repository, 'bench/dist/child.js');
  const count = (tokens: number): Counts =>
    countCommand([process.execPath, child, ...words(tokens).map(String)], file, FLOOR_ENVIRONMENT);
  const [some, none] = [count(COUNTED), count(0)];
  const { read, written } = await bench.floor(...words(COUNTED));
  return { calls: mapCounts((group) => some[group] - none[group]), read, written };
}

/** The medians of the ratios of each round to the floor. */
function ratiosOf(
  name: string,
  rounds: readonly Work[],
  floor: Work,
  groups: Partial<Record<keyof Counts, keyof Counts>>,
): Ratios {
  return Object.fromEntries(
    Object.entries(groups).map(([group, of]) => [
      `${name}: ${group}`,
      medianOf(rounds.map(({ calls }) => calls[group as keyof Counts] / floor.calls[of])),
    ]),
  );
}
