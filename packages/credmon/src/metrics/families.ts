// The metric families in prom-client. Loaded only if metrics are enabled, because the
// library costs start-up time.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import table from './families.json' with { type: 'json' };
import type { ProviderLabels, Tally } from './tally.ts';

/** How a renewal ended. */
export type RenewalOutcome = 'issued' | 'denied' | 'revoked' | 'failed';

/**
 * Values at the time of a request: the time in seconds on the steady clock, and the
 * tokens in memory and in progress.
 */
export interface Moment {
  readonly steady: number;
  readonly unwritten: number;
  readonly inFlight: number;
}

/**
 * The metric families. Durations in seconds, `at` in epoch seconds, `steady` as in {@link
 * Moment}.
 */
export interface Families {
  readonly contentType: string;
  tallied(tallies: readonly Tally[], problems: number, steady: number): void;
  renewal(labels: ProviderLabels, outcome: RenewalOutcome, code: string): void;
  renewalTook(labels: ProviderLabels, seconds: number): void;
  scanTook(seconds: number): void;
  passEnded(at: number): void;
  page(moment: Moment): Promise<string>;
}

/**
 * How often the delay of the event loop is sampled, in milliseconds; prom-client's own 10
 * would wake an idle process too often.
 */
const LOOP_DELAY_STEP = 100;

/** Creates the families in their own registry, with prom-client's process metrics. */
export function createFamilies(version: string): Families {
  const registry = new Registry();
  const { gauge, counter, histogram } = makersFor(registry);
  const [tokens, expired, refused] = [
    gauge('tokens'),
    gauge('expired_tokens'),
    gauge('refused_users'),
  ];
  const [expiry, problemCount] = [gauge('earliest_expiry_seconds'), gauge('scan_problems')];
  const [unwritten, inFlight] = [gauge('unwritten_tokens'), gauge('renewals_in_flight')];
  const renewals = counter('renewals_total');
  const renewalSeconds = histogram('renewal_duration_seconds');
  const scanSeconds = histogram('scan_duration_seconds');
  const lastPass = gauge('last_pass_timestamp_seconds');
  gauge('build_info').set({ version }, 1);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_STEP });
  let last: { readonly tallies: readonly Tally[]; readonly steady: number } = {
    tallies: [],
    steady: 0,
  };
  return {
    contentType: registry.contentType,
    tallied: (tallies, problems, steady) => {
      last = { tallies, steady };
      problemCount.set(problems);
      for (const each of [tokens, expired, refused]) each.reset();
      for (const { labels, working, expired: gone, refusedUsers } of tallies) {
        for (const [state, count] of Object.entries(working))
          tokens.set({ ...labels, state }, count);
        for (const [state, count] of Object.entries(gone)) expired.set({ ...labels, state }, count);
        tokens.set({ ...labels, state: 'expired' }, sum(Object.values(gone)));
        if (labels.kind === 'local') refused.set({ provider: labels.provider }, refusedUsers.size);
        // A counter that starts with its first event hides that event from rate().
        renewals.inc({ ...labels, outcome: 'issued', code: 'none' }, 0);
      }
    },
    renewal: (labels, outcome, code) => renewals.inc({ ...labels, outcome, code }),
    renewalTook: (labels, seconds) => renewalSeconds.observe({ ...labels }, seconds),
    scanTook: (seconds) => scanSeconds.observe(seconds),
    passEnded: (at) => lastPass.set(at),
    page: (moment) => {
      expiry.reset();
      for (const { labels, secondsLeft } of last.tallies)
        if (secondsLeft !== undefined)
          expiry.set({ ...labels }, secondsLeft - (moment.steady - last.steady));
      unwritten.set(moment.unwritten);
      inFlight.set(moment.inFlight);
      return registry.metrics();
    },
  };
}

interface Makers {
  readonly gauge: (name: keyof typeof table) => Gauge;
  readonly counter: (name: keyof typeof table) => Counter;
  readonly histogram: (name: 'renewal_duration_seconds' | 'scan_duration_seconds') => Histogram;
}

/** Functions that create instruments as the table describes them. */
function makersFor(registry: Registry): Makers {
  const described = (name: keyof typeof table) => ({
    name: `condor_credmon_${name}`,
    help: table[name].help,
    labelNames: table[name].labels,
    registers: [registry],
  });
  return {
    gauge: (name) => new Gauge(described(name)),
    counter: (name) => new Counter(described(name)),
    histogram: (name) => new Histogram({ ...described(name), buckets: table[name].buckets }),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
