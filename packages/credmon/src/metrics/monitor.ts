// Collects the metrics of a daemon by wrapping its report, store and providers.
import type { DaemonParts } from '../daemon/loop.ts';
import type { ProviderLookup } from '../daemon/judge-scan.ts';
import type { Provider } from '../providers/common/provider.ts';
import { isStanding } from '../providers/standing/ports.ts';
import { type Report, reportOf, reportToAll } from '../report/events.ts';
import { VERSION } from '../version.ts';
import type { Families } from './families.ts';
import {
  type NameSettings,
  type ProviderLabels,
  boundedNames,
  configuredName,
  tallyOf,
} from './tally.ts';
import {
  type Serving,
  type ServingOptions,
  createPages,
  createServing,
} from './health-and-pages.ts';
import type { Clock } from '@credmon/core/base';
import { type Instant, instantOf, splitStem } from '@credmon/core/credential';
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
