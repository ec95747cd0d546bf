// Keeps the listener where the configuration wants it: opened, moved, closed; a failure
// is said once and tried again when asked.
import { messageOf } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { addressText, type MetricsAddress } from '../settings/metrics-address.ts';
import type { Listener, Pages } from './listener.ts';
import type { Families, Moment } from './families.ts';

/** What serving needs. `ready` is awaited before anything is opened. */
export interface ServingOptions {
  readonly log: Log;
  readonly pages: Pages;
  readonly address: () => MetricsAddress | undefined;
  readonly ready: () => Promise<void>;
  readonly open: OpenListener;
}

/** Opens a listener. @throws when the address cannot be had */
type OpenListener = (
  address: MetricsAddress,
  pages: Pages,
  trouble: (text: string) => void,
) => Promise<Listener>;

/** A listener that follows the configuration. Neither method rejects. */
export interface Serving {
  follow(): Promise<void>;
  close(): Promise<void>;
}

/** Serves nothing until it follows. */
export function createServing({ log, pages, address, ready, open }: ServingOptions): Serving {
  let present: { readonly text: string; readonly listener: Listener } | undefined;
  let said: string | undefined;
  let last = Promise.resolve();
  const sayOnce = (text: string): void => {
    if (said !== text) log.error(text);
    said = text;
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
      said = undefined;
      return;
    }
    await ready();
    present = { text, listener: await open(wanted, pages, sayOnce) };
    said = undefined;
    log.info(`Metrics are served at ${present.listener.where}`);
  };
  /** One after the other: two signals must not open twice. */
  const next = (step: () => Promise<void>): Promise<void> => {
    last = last.then(step).catch((error: unknown) => sayOnce(messageOf(error)));
    return last;
  };
  return { follow: () => next(move), close: () => next(close) };
}

// The pages of the listener: the metrics, and the answers for whoever decides whether
// this daemon is well.

/** What is known at the moment of asking; `families` are there before the listener is. */
interface PageSources {
  readonly families: () => Families | undefined;
  readonly moment: () => Moment;
  readonly vitals: () => Vitals;
}

/** The pages, each made when it is asked for. */
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
      const readiness = judgeReadiness(vitals());
      const text = `${JSON.stringify(readiness)}\n`;
      return { status: readiness.ready ? 200 : 503, type: 'application/json', text };
    },
  };
}

// What /readyz answers: whether tokens are being looked after, judged by the last pass
// and the directory. Pure.

/**
 * A pass is made every minute at the latest; after this many seconds without one,
 * something is wrong.
 */
const PASS_IS_OLD = 180;

/**
 * What readiness is judged by: seconds since the last pass ended, if any did, and why the
 * credential directory cannot be read, if so.
 */
interface Vitals {
  readonly sincePass: number | undefined;
  readonly unreadable: string | undefined;
}

/** The verdict, as it is sent. */
type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Whether the daemon does its work now. */
export function judgeReadiness({ sincePass, unreadable }: Vitals): Readiness {
  if (unreadable !== undefined)
    return { ready: false, reason: `the credential directory: ${unreadable}` };
  if (sincePass === undefined) return { ready: false, reason: 'no pass has ended yet' };
  if (sincePass > PASS_IS_OLD)
    return { ready: false, reason: `the last pass ended ${Math.floor(sincePass)} s ago` };
  return { ready: true };
}
