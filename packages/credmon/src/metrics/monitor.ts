// Watches a daemon for its metrics without its knowing, around its report, its store and
// its providers, and serves what was counted.
import type { DaemonParts } from '../daemon/loop.ts';
import { instant, type ProviderLookup } from '../daemon/pass.ts';
import type { Report } from '../report/log-report.ts';
import { VERSION } from '../version.ts';
import {
  createCountingReport,
  labelsFrom,
  tellAll,
  type CountingOptions,
} from './counting-report.ts';
import type { Families } from './families.ts';
import { boundedNames, configuredName, type NameSettings } from './labels.ts';
import { createPages } from './pages.ts';
import { createServing, type Serving, type ServingOptions } from './serving.ts';
import { timedOwnership, timedStore } from './watched.ts';

/** What a monitor needs beside the daemon: settings of the moment, and the world. */
export interface MonitorOptions extends Pick<ServingOptions, 'address' | 'open'> {
  readonly settings: () => NameSettings;
  /** Why the credential directory cannot be read, if so. */
  readonly unreadable: () => string | undefined;
}

/**
 * A daemon's parts, watched. `follow` serves where the configuration says, or no longer;
 * so does each reload of the parts.
 */
export interface Monitor extends Serving {
  readonly parts: DaemonParts;
}

/** What counts, once it has been loaded. */
interface Counting {
  readonly families: Families;
  readonly report: Report;
  readonly timed: (ownership: ProviderLookup) => ProviderLookup;
}

/** Watches these parts. Nothing is loaded or counted until an address is configured. */
export function monitorDaemon(parts: DaemonParts, options: MonitorOptions): Monitor {
  const { world, memory, log } = parts;
  const { clock } = world;
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
      world: {
        ...world,
        store: timedStore(world.store, clock, (seconds) => counting?.families.scanTook(seconds)),
        get report() {
          return counting?.report ?? world.report;
        },
      },
      ownership: () => counting?.timed(parts.ownership()) ?? parts.ownership(),
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

async function load({ world }: DaemonParts, { settings }: MonitorOptions): Promise<Counting> {
  const { createFamilies } = await import('./families.ts');
  const families = createFamilies(VERSION);
  const options: CountingOptions = {
    nameOf: boundedNames((name) => configuredName(settings(), name)),
    specialNames: () => settings().lists.specialNames,
    now: () => instant(world.clock),
  };
  const labelsOf = labelsFrom(options);
  return {
    families,
    report: tellAll([world.report, createCountingReport(families, options)]),
    timed: timedOwnership(world.clock, (token, seconds) =>
      families.renewalTook(labelsOf(token), seconds),
    ),
  };
}
