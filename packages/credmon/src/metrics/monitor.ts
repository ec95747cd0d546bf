// Collects the metrics of a daemon by wrapping its report, store and providers, and
// serves them: the listener is opened, moved and closed as configured. A failure is
// logged once and retried on request.
import type { DaemonParts } from '../daemon/loop.ts';
import type { ProviderLookup } from '../daemon/judge-scan.ts';
import type { Provider } from '../providers/common/provider.ts';
import { isStanding } from '../providers/standing/ports.ts';
import { type Report, reportOf, reportToAll } from '../report/events.ts';
import { type MetricsAddress, addressText } from '../settings/metrics-address.ts';
import { VERSION } from '../version.ts';
import type { Families, Moment } from './families.ts';
import {
  type NameSettings,
  type ProviderLabels,
  boundedNames,
  configuredName,
  tallyOf,
} from './tally.ts';
import type { Listener, Pages } from './listener.ts';
import { type Clock, messageOf } from '@credmon/core/base';
import { type Instant, instantOf, splitStem } from '@credmon/core/credential';
import type { Log } from '@credmon/core/log';
import type { ManagedToken } from '@credmon/core/renewal';
import type { CredentialStore } from '@credmon/core/store';

/** Options of the monitor: the current settings, and ports. */
interface MonitorOptions extends Pick<ServingOptions, 'address' | 'open'> {
  readonly settings: () => NameSettings;
  /** Why the credential directory cannot be read, if so. */
  readonly unreadable: () => string | undefined;
}

/**
 * The wrapped parts of a daemon. `follow` starts, moves or stops the listener as
 * configured; so does each reload of the parts.
 */
export interface Monitor extends Serving {
  readonly parts: DaemonParts;
}

/** The counting parts, once loaded. */
interface Counting {
  readonly families: Families;
  readonly report: Report;
  readonly timed: (lookup: ProviderLookup) => ProviderLookup;
}

/** Wraps these parts. Nothing is loaded or counted until an address is configured. */
export function monitorDaemon(parts: DaemonParts, options: MonitorOptions): Monitor {
  const { context, memory, log } = parts;
  const { clock } = context;
  let counting: Counting | undefined;
  let passEnded: number | undefined;
  const pages = createPages({
    families: () => counting?.families,
    moment: () => ({
      steady: clock.steady(),
      unwritten: memory.unwritten.size,
      inFlight: memory.inFlight.size + memory.late.size,
    }),
    vitals: () => ({
      sincePass: passEnded === undefined ? undefined : clock.steady() - passEnded,
      unreadable: options.unreadable(),
    }),
  });
  const ready = async (): Promise<void> => {
    counting ??= await load(parts, options);
  };
  const serving = createServing({ ...options, log, pages, ready });
  return {
    ...serving,
    parts: {
      ...parts,
      context: {
        ...context,
        store: timedStore(context.store, clock, (seconds) => counting?.families.scanTook(seconds)),
        get report() {
          return counting?.report ?? context.report;
        },
      },
      lookup: () => counting?.timed(parts.lookup()) ?? parts.lookup(),
      complete: () => {
        passEnded = clock.steady();
        counting?.families.passEnded(clock.now());
        parts.complete();
      },
      reload: () => {
        parts.reload();
        void serving.follow();
      },
    },
  };
}

async function load({ context }: DaemonParts, { settings }: MonitorOptions): Promise<Counting> {
  const { createFamilies } = await import('./families.ts');
  const families = createFamilies(VERSION);
  const options: CountingOptions = {
    nameOf: boundedNames((name) => configuredName(settings(), name)),
    specialNames: () => settings().lists.specialNames,
    now: () => instantOf(context.clock),
  };
  const labelsOf = labelsFrom(options);
  return {
    families,
    report: reportToAll([context.report, createCountingReport(families, options)]),
    timed: timedLookup(context.clock, (managed, seconds) =>
      families.renewalTook(labelsOf(managed), seconds),
    ),
  };
}

// The counting report turns events into numbers. It contains no text of users or issuers.

/** Options of counting. `nameOf` limits a service's name; `now` is read at each scan. */
interface CountingOptions {
  readonly nameOf: (service: string) => string;
  readonly specialNames: () => boolean;
  readonly now: () => Instant;
}

/** Returns the labels of a token. */
function labelsFrom({
  nameOf,
  specialNames,
}: CountingOptions): (managed: Pick<ManagedToken, 'snapshot' | 'provider'>) => ProviderLabels {
  return ({ snapshot, provider: kind }) => {
    const { stem } = snapshot;
    const whole = isStanding(kind) || specialNames();
    return { provider: nameOf(splitStem(stem, whole)?.service ?? stem), kind };
  };
}

/** Creates a report that counts in `families`; events without a number are ignored. */
export function createCountingReport(families: Families, options: CountingOptions): Report {
  const labelsOf = labelsFrom(options);
  return reportOf(
    async ({ scan, plan }) => {
      const now = options.now();
      families.tallied(await tallyOf(plan, now, labelsOf), scan.problems.length, now.steady);
    },
    (event) => {
      if (event.type === 'renewed') families.renewal(labelsOf(event.managed), 'issued', 'none');
      else if (event.type === 'rewritten' && event.renewal)
        families.renewal(labelsOf(event.renewal.managed), 'issued', 'none');
      else if (event.type === 'failed')
        families.renewal(labelsOf(event.managed), event.kind, event.error.code);
      else if (event.type === 'removed')
        families.renewal(labelsOf(event.managed), 'revoked', event.error.code);
    },
  );
}

// Measures the durations of store and providers, in seconds.

/** Wraps the store; `took` gets the duration of each scan. */
function timedStore(
  store: CredentialStore,
  clock: Clock,
  took: (seconds: number) => void,
): CredentialStore {
  return {
    ...store,
    scan: async (now, options) => {
      const began = clock.steady();
      const scan = await store.scan(now, options);
      took(clock.steady() - began);
      return scan;
    },
  };
}

/**
 * Wraps lookups so that `took` gets the duration of each attempt; the wrapper of a
 * provider is always the same.
 */
function timedLookup(
  clock: Clock,
  took: (managed: Pick<ManagedToken, 'snapshot' | 'provider'>, seconds: number) => void,
): (lookup: ProviderLookup) => ProviderLookup {
  const known = new WeakMap<Provider, Provider>();
  const lookups = new WeakMap<ProviderLookup, ProviderLookup>();
  const timed = (provider: Provider): Provider => {
    const before = known.get(provider);
    if (before) return before;
    const after: Provider = {
      ...provider,
      obtain: async (snapshot, files, context) => {
        const began = clock.steady();
        try {
          return await provider.obtain(snapshot, files, context);
        } finally {
          took({ snapshot, provider: provider.name }, clock.steady() - began);
        }
      },
    };
    known.set(provider, after);
    return after;
  };
  return (lookup) => {
    const before = lookups.get(lookup);
    if (before) return before;
    const after: ProviderLookup = {
      manage: (token) => {
        const owner = lookup.manage(token);
        return owner && { managed: owner.managed, provider: timed(owner.provider) };
      },
    };
    lookups.set(lookup, after);
    return after;
  };
}

/** Options of serving. `ready` is awaited before a listener opens. */
interface ServingOptions {
  readonly log: Log;
  readonly pages: Pages;
  readonly address: () => MetricsAddress | undefined;
  readonly ready: () => Promise<void>;
  readonly open: OpenListener;
}

/** Opens a listener. @throws when it cannot listen at the address */
type OpenListener = (
  address: MetricsAddress,
  pages: Pages,
  warn: (text: string) => void,
) => Promise<Listener>;

/** A listener that follows the configuration. The methods never reject. */
interface Serving {
  follow(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the serving; it serves nothing until `follow`. */
export function createServing({ log, pages, address, ready, open }: ServingOptions): Serving {
  let present: { readonly text: string; readonly listener: Listener } | undefined;
  let logged: string | undefined;
  let last = Promise.resolve();
  const logOnce = (text: string): void => {
    if (logged !== text) log.error(text);
    logged = text;
  };
  const close = async (): Promise<void> => {
    const { listener } = present ?? {};
    present = undefined;
    await listener?.close();
  };
  const move = async (): Promise<void> => {
    const wanted = address();
    const text = wanted && addressText(wanted);
    if (present?.text === text) return;
    await close();
    if (!wanted || text === undefined) {
      logged = undefined;
      return;
    }
    await ready();
    present = { text, listener: await open(wanted, pages, logOnce) };
    logged = undefined;
    log.info(`Metrics are on ${present.listener.where}`);
  };
  /** Serialised, so that two signals do not open two listeners. */
  const next = (step: () => Promise<void>): Promise<void> => {
    last = last.then(step).catch((error: unknown) => logOnce(messageOf(error)));
    return last;
  };
  return { follow: () => next(move), close: () => next(close) };
}

// The pages of the listener: the metrics, and the health checks.

/** The sources of the pages; `families` exist before the listener opens. */
interface PageSources {
  readonly families: () => Families | undefined;
  readonly moment: () => Moment;
  readonly vitals: () => Vitals;
}

/** Creates the pages; each is rendered on request. */
function createPages({ families, moment, vitals }: PageSources): Pages {
  const type = 'text/plain; charset=utf-8';
  return {
    '/metrics': async () => {
      const counted = families();
      if (!counted) return { status: 503, type, text: 'nothing has been counted yet\n' };
      return { status: 200, type: counted.contentType, text: await counted.page(moment()) };
    },
    '/healthz': async () => ({ status: 200, type, text: 'alive\n' }),
    '/readyz': async () => {
      const readiness = readinessOf(vitals());
      const text = `${JSON.stringify(readiness)}\n`;
      return { status: readiness.ready ? 200 : 503, type: 'application/json', text };
    },
  };
}

// The answer of /readyz: whether tokens are being renewed, from the last pass and the
// directory. Pure.

/**
 * A pass ends every minute; after this many seconds without one the daemon is not ready.
 */
const PASS_IS_OLD = 180;

/**
 * The input for readiness: seconds since the last pass ended, if any, and why the
 * credential directory cannot be read, if so.
 */
interface Vitals {
  readonly sincePass: number | undefined;
  readonly unreadable: string | undefined;
}

/** The answer of /readyz. */
type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Decides whether the daemon is ready. */
export function readinessOf({ sincePass, unreadable }: Vitals): Readiness {
  if (unreadable !== undefined)
    return { ready: false, reason: `the credential directory: ${unreadable}` };
  if (sincePass === undefined) return { ready: false, reason: 'no pass has ended yet' };
  if (sincePass > PASS_IS_OLD)
    return { ready: false, reason: `the last pass ended ${Math.floor(sincePass)} s ago` };
  return { ready: true };
}
