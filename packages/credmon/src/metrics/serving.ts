// Opens, moves and closes the listener as configured; a failure is logged once and
// retried on request.
import { messageOf } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { addressText, type MetricsAddress } from '../settings/metrics-address.ts';
import type { Listener, Pages } from './listener.ts';
import type { Families, Moment } from './families.ts';

/** Options of serving. `ready` is awaited before a listener opens. */
export interface ServingOptions {
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
export interface Serving {
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
export function createPages({ families, moment, vitals }: PageSources): Pages {
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
