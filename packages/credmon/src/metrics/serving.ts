// Keeps the listener where the configuration wants it: opened, moved, closed; a failure
// is said once and tried again when asked.
import { messageOf } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { addressText, type MetricsAddress } from '../settings/metrics-address.ts';
import type { Listener, Pages } from './listener.ts';

/** What serving needs. `ready` is awaited before anything is opened. */
export interface ServingOptions {
  readonly log: Log;
  readonly pages: Pages;
  readonly address: () => MetricsAddress | undefined;
  readonly ready: () => Promise<void>;
  readonly open: OpenListener;
}

/** Opens a listener. @throws when the address cannot be had */
export type OpenListener = (
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
