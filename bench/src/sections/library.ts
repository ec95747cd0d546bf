// The libraries: SciTokens beside openssl, ClassAds and the configuration language.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { FLOOR_ENVIRONMENT, type Bench, type Section } from '../shared/bench.ts';
import type { Measured, Sample, Target } from '../shared/rows.ts';

type Rates = Readonly<Record<string, number>>;

/** Runs library.ts in a process of its own, once a round. */
function runsOf(bench: Bench, kind: string): readonly Rates[] {
  const program = join(bench.repository, 'bench/dist/library.js');
  const milliseconds = bench.options.quick ? '100' : '500';
  return Array.from({ length: bench.options.rounds }, (_, round) => {
    bench.say(`${kind}, round ${round + 1} of ${bench.options.rounds}`);
    const words = [program, kind, milliseconds];
    return JSON.parse(
      execFileSync(process.execPath, words, { encoding: 'utf8', env: FLOOR_ENVIRONMENT }),
    ) as Rates;
  });
}

const samplesOf = (runs: readonly Rates[], name: string): Sample[] =>
  runs.map((rates) => ({ value: rates[name] ?? Number.NaN }));

/** Signatures and verifications a second, as OpenSSL's own benchmark counts them. */
function openssl(bench: Bench, algorithm: 'ecdsap256' | 'rsa2048'): Rates {
  const seconds = bench.options.quick ? '1' : '2';
  const output = execFileSync('openssl', ['speed', '-seconds', seconds, '-mr', algorithm], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, , , sign, verify] = /^\+F[24]:(.*)$/m.exec(output)?.[0].split(':') ?? [];
  return { sign: Number(sign), verify: Number(verify) };
}

export const scitokens: Section = {
  name: 'scitokens',
  title: 'SciTokens: whole tokens in a CPU second',
  measure: async (bench) => {
    const ec: Rates[] = [];
    const rsa: Rates[] = [];
    for (let round = 0; round < bench.options.rounds; round += 1) {
      // Six seconds each, and the figures of openssl hardly differ.
      const isAgain = bench.options.quick && round > 0;
      ec.push((isAgain && ec[0]) || openssl(bench, 'ecdsap256'));
      rsa.push((isAgain && rsa[0]) || openssl(bench, 'rsa2048'));
    }
    const runs = runsOf(bench, 'scitokens');
    const row = (
      name: string,
      speed: readonly Rates[],
      what: 'sign' | 'verify',
      targets: readonly Target[],
    ): Measured => ({
      section: 'scitokens',
      name,
      unit: '/s',
      ours: samplesOf(runs, name),
      floor: samplesOf(speed, what),
      floorName: `openssl speed, ${speed === ec ? 'ecdsap256' : 'rsa2048'}, ${what}`,
      targets,
    });
    return [
      row('ES256 sign', ec, 'sign', [{ of: 'floor', least: 0.45 }]),
      row('ES256 verify', ec, 'verify', [{ of: 'floor', least: 0.4 }]),
      row('ES256 verify and enforce', ec, 'verify', []),
      row('RS256 sign', rsa, 'sign', []),
      row('RS256 verify', rsa, 'verify', []),
    ];
  },
};

export const classad: Section = {
  name: 'classad',
  title: 'ClassAds: evaluations in a CPU second',
  measure: async (bench) => {
    const runs = runsOf(bench, 'classad');
    const FLOOR = 'the same text in JavaScript';
    return Object.keys(runs[0] ?? {})
      .filter((name) => name !== FLOOR)
      .map((name) => ({
        section: 'classad',
        name,
        unit: '/s' as const,
        ours: samplesOf(runs, name),
        ...(name.startsWith('evaluate strcat')
          ? {
              floor: samplesOf(runs, FLOOR),
              floorName: FLOOR,
              targets: [{ of: 'value' as const, least: 500_000 }],
            }
          : {}),
      }));
  },
};

export const configuration: Section = {
  name: 'config',
  title: 'Configuration language: 5,000 lines, every knob expanded, CPU',
  measure: async (bench) => {
    const runs = runsOf(bench, 'config');
    const floor = samplesOf(runs, 'floor');
    const floorName = 'lines split at the equals sign';
    return [
      {
        section: 'config',
        name: 'the first time in a process',
        unit: 'ms',
        ours: samplesOf(runs, 'first'),
        targets: [{ of: 'value', most: 100 }],
      },
      {
        section: 'config',
        name: 'again',
        unit: 'ms',
        ours: samplesOf(runs, 'median'),
        floor,
        floorName,
      },
    ];
  },
};
