// Large directories: how soon the daemon answers a signal while it looks at 100,000 files
// of one directory.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { providerKnobs, type AccessPoint, type Knobs } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Section } from '../shared/bench.ts';
import { cpuOf, end, start } from '../shared/processes.ts';
import { startDaemon } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';

/** Milliseconds until a pass that uses less than expected is ended. */
const LIMIT = 60_000;

/** A directory and how it is filled with `count` files. */
const KINDS: readonly (readonly [string, (credentials: string, count: number) => void])[] = [
  [
    'tokens of one user',
    (credentials, count) => {
      mkdirSync(join(credentials, 'alice'), { mode: 0o700 });
      for (let n = 0; n < count; n += 1)
        writeFileSync(join(credentials, 'alice', `mytok_h${n}.top`), '{}', { mode: 0o600 });
    },
  ],
  [
    'other files in the credential directory',
    (credentials, count) => {
      for (let n = 0; n < count; n += 1)
        writeFileSync(join(credentials, `junk ${n}`), 'x', { mode: 0o600 });
    },
  ],
];

const knobsOf = (point: AccessPoint): Knobs =>
  providerKnobs(point, 'mytok', 'https://issuer.example/token');

/** CPU seconds from the start until the daemon rests. */
async function wholePass(bench: Bench, point: AccessPoint): Promise<number> {
  const daemon = await startDaemon(bench.ours, point, knobsOf(point));
  return withDaemon(daemon, async () => {
    await daemon.settled();
    return daemon.usage().cpu;
  });
}

/** Starts a daemon, and ends it in the middle of its first pass. */
async function endSoon(bench: Bench, point: AccessPoint, after: number): Promise<Sample> {
  const environment = point.configure(knobsOf(point));
  const [command, ...args] = bench.ours.command;
  const child = start(command, args, environment);
  // By its own processor time: other load does not change how far it is.
  const until = performance.now() + LIMIT;
  while (cpuOf(child.pid ?? 0) < after && child.exitCode === null && performance.now() < until)
    await rest(2);
  const before = cpuOf(child.pid ?? 0);
  const began = performance.now();
  let used = before;
  const watched = setInterval(() => {
    used = Math.max(used, cpuOf(child.pid ?? 0));
  }, 2);
  await end(child);
  clearInterval(watched);
  return { value: (used - before) * 1000, wall: (performance.now() - began) / 1000 };
}

export const large: Section = {
  name: 'large',
  title: 'Large directories: CPU from SIGTERM to the end, in the first pass',
  measure: async (bench) => {
    const count = bench.options.quick ? 10_000 : 100_000;
    const rows: Measured[] = [];
    for (const [name, write] of KINDS) {
      const point = bench.accessPoint();
      const ours: Sample[] = [];
      try {
        bench.say(`${count} ${name}`);
        write(point.credentials, count);
        const whole = await wholePass(bench, point);
        for (let round = 0; round < bench.options.rounds; round += 1)
          ours.push(
            await endSoon(bench, point, whole * (0.3 + (0.6 * round) / bench.options.rounds)),
          );
      } finally {
        point.remove();
      }
      rows.push({
        section: 'large',
        name: `${count.toLocaleString('en-US')} ${name}`,
        unit: 'ms',
        ours,
      });
    }
    return rows;
  },
};
