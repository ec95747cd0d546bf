// The metrics in prom-client. Loaded only if metrics are configured, because the library
// takes time to load.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Counters } from '../flow/ports.ts';
import table from './families.json' with { type: 'json' };

/** Counters, and the page with their values. */
export interface Families extends Counters {
  page(): Promise<{ readonly type: string; readonly text: string }>;
}

/**
 * Sampling interval of the event loop delay, in milliseconds; the default of prom-client
 * (10) would wake an idle process too often.
 */
const LOOP_DELAY_STEP = 100;
/**
 * At most this many providers have a label of their own, the others are `other`; each
 * label is a series that monitoring stores.
 */
const MOST_PROVIDERS = 100;

/**
 * Creates the metrics in a registry of their own, with the default metrics of
 * prom-client.
 * @param openSessions counts the open sessions at the time of the request
 */
export function createFamilies(
  version: string,
  openSessions: () => Promise<{ readonly sessions: number; readonly flows: number }>,
): Families {
  const registry = new Registry();
  const described = (name: keyof typeof table) => ({
    name: `condor_credmon_web_${name}`,
    help: table[name].help,
    labelNames: table[name].labels,
    registers: [registry],
  });
  const requests = new Counter(described('http_requests_total'));
  const { buckets } = table.http_request_duration_seconds;
  const durations = new Histogram({ ...described('http_request_duration_seconds'), buckets });
  const logins = new Counter(described('logins_total'));
  const open = new Gauge(described('open_sessions'));
  const reloads = new Counter(described('reloads_total'));
  const lastReload = new Gauge(described('last_reload_taken'));
  new Gauge(described('build_info')).set({ version }, 1);
  lastReload.set(1);
  for (const outcome of ['taken', 'refused']) reloads.inc({ outcome }, 0);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_STEP });
  const providers = new Set<string>();
  const shown = (provider: string): string => {
    if (providers.size < MOST_PROVIDERS) providers.add(provider);
    return providers.has(provider) ? provider : 'other';
  };
  return {
    request: (route, status, seconds) => {
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
      durations.observe({ route }, seconds);
    },
    login: (provider, outcome) => logins.inc({ provider: shown(provider), outcome }),
    reload: (taken) => {
      reloads.inc({ outcome: taken ? 'taken' : 'refused' });
      lastReload.set(taken ? 1 : 0);
    },
    page: async () => {
      const { sessions, flows } = await openSessions();
      open.set({ kind: 'session' }, sessions);
      open.set({ kind: 'flow' }, flows);
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}
