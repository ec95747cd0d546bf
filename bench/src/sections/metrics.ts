// What metrics cost: passes with and without them, a page, and the start.
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { providerKnobs, type AccessPoint, type Knobs } from '../shared/access-point.ts';
import { withDaemon, type Bench, type Section } from '../shared/bench.ts';
import { startDaemon } from '../shared/programs.ts';
import type { Measured, Sample } from '../shared/rows.ts';
import { fill } from '../shared/tokens.ts';

const PAGES = 100;
/** Full looks of a measurement. */
const LOOKS = 3;

/** What was measured of a daemon with or without metrics. */
interface Costs {
  readonly pass: Sample;
  readonly looks: Sample;
  readonly page: Sample | undefined;
}

async function measureOne(point: AccessPoint, bench: Bench, address: string): Promise<Costs> {
  const knobs: Knobs = {
    ...providerKnobs(point, 'mytok', 'https://issuer.example/token'),
    ...(address === '' ? {} : { CREDMON_METRICS_LISTEN: `unix:${address}` }),
  };
  const daemon = await startDaemon(bench.ours, point, knobs);
  return withDaemon(daemon, async () => {
    const { cpu, peak } = daemon.atComplete;
    const pass = { value: cpu, cpu, peak, wall: daemon.startSeconds };
    await daemon.settled();
    const before = daemon.usage().cpu;
    for (let n = 0; n < LOOKS; n += 1) {
      daemon.hup();
      await daemon.settled();
    }
    const looked = daemon.usage().cpu;
    const looks = { value: (looked - before) / LOOKS, cpu: looked - before };
    if (address === '') return { pass, looks, page: undefined };
    for (let n = 0; n < PAGES; n += 1) await fetchPage(address);
    await rest(50);
    const page = { value: ((daemon.usage().cpu - looked) * 1000) / PAGES };
    return { pass, looks, page };
  });
}

function fetchPage(socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/metrics' }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`/metrics: ${answer.statusCode}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

export const metrics: Section = {
  name: 'metrics',
  title: 'Metrics: the daemon with metrics, beside the daemon without',
  measure: async (bench) => {
    const tokens = bench.options.quick ? 2000 : 20_000;
    const point = bench.accessPoint();
    const [off, on]: [Costs[], Costs[]] = [[], []];
    try {
      fill(point.credentials, { users: tokens / 10, tokens });
      for (let round = 0; round < bench.options.rounds; round += 1) {
        bench.say(`metrics, round ${round + 1} of ${bench.options.rounds}`);
        off.push(await measureOne(point, bench, ''));
        on.push(await measureOne(point, bench, join(point.root, `m${round}`)));
      }
    } finally {
      point.remove();
    }
    const row = (name: string, part: 'pass' | 'looks'): Measured => ({
      section: 'metrics',
      name: `${name}, ${tokens.toLocaleString('en-US')} tokens, CPU`,
      unit: 's',
      ours: on.map((costs) => costs[part]),
      floor: off.map((costs) => costs[part]),
      floorName: 'the same without metrics',
    });
    return [
      row('start to CREDMON_COMPLETE', 'pass'),
      row('SIGHUP, nothing changed', 'looks'),
      {
        section: 'metrics',
        name: 'a page of /metrics, CPU',
        unit: 'ms',
        ours: on.flatMap(({ page }) => page ?? []),
      },
    ];
  },
};
