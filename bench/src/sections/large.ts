// Large directories: how soon the daemon answers a signal while it looks at 100,000 files
// of one directory.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { providerKnobs, type AccessPoint } from '../shared/access-point.ts';
import type { Bench, Section } from '../shared/bench.ts';
import { cpuOf, end, start } from '../shared/processes.ts';
import type { Measured, Sample } from '../shared/rows.ts';

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

/** Starts a daemon, and ends it in the middle of its first pass. */
async function endSoon(bench: Bench, point: AccessPoint, after: number): Promise<Sample> {
  const environment = point.configure(
    providerKnobs(point, 'mytok', 'https://issuer.example/token'),
  );
  const [command, ...args] = bench.ours.command;
  const child = start(command, args, environment);
  // By its own processor time: other load does not change how far it is.
  while (cpuOf(child.pid ?? 0) < after && child.exitCode === null) await rest(2);
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
        for (let round = 0; round < bench.options.rounds; round += 1)
          ours.push(await endSoon(bench, point, 0.25 + round * 0.1));
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
