// The server: starts from settings, reloads while it runs, and closes its parts in order.
import { isDeepStrictEqual } from 'node:util';
import { messageOf, systemClock } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import {
  createSwappableServer,
  createPageServer,
  type SwappableServer,
} from './serving/swappable-server.ts';
import { createGeneration, type Generation } from './serving/generation.ts';
import { checkClosed, listen } from './host/listen.ts';
import { forgetSettings, noteSettings } from './session-store/running-portal.ts';
import { NO_COUNTERS, type Counters } from './flow/ports.ts';
import type { Settings } from './settings/settings.ts';
import { VERSION } from './version.ts';

/** A running server. */
export interface Server {
  /** Where it listens: a URL, `unix:/path` or `fd:N`. */
  readonly address: string;
  /** The address of the metrics; `undefined` if they are off. */
  readonly metricsAddress: string | undefined;
  /**
   * Applies new settings. Requests in progress finish with the old ones; sessions are
   * kept. The listen addresses cannot change.
   * @param sources the files that the settings come from
   * @param commit called as the last step that can fail; if it throws, the old settings
   * are kept
   * @throws CodedError if the new settings cannot be used; the old ones are kept
   */
  reload(settings: Settings, sources?: readonly string[], commit?: () => void): Promise<void>;
  /** Finishes the requests in progress, then stops. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 * @param sources the files that the settings come from; the server is ready only while
 * they can be read
 * @throws CodedError `CONFIG_INVALID` (also when the address cannot be used),
 * `CRED_DIR_INVALID`, `SESSION_STORE_FULL`
 */
export async function startServer(
  settings: Settings,
  log: Log,
  sources: readonly string[] = [],
): Promise<Server> {
  const metrics = await openMetrics(settings, () => current.stores.count());
  const { counters } = metrics;
  const environment = { listen: settings.listen, log, counters };
  let current = await createGeneration(settings, { ...environment, sources }).catch(
    async (error: unknown) => {
      await metrics.close();
      throw error;
    },
  );
  const http = createSwappableServer(handlerOf(current));
  const closing = new Set<Promise<void>>();
  const take = async (
    next: Settings,
    nextSources: readonly string[],
    commit: () => void,
  ): Promise<void> => {
    if (next.remoteUser) checkClosed(http.server, settings.listen);
    const generation = await createGeneration(next, { ...environment, sources: nextSources });
    try {
      commit();
    } catch (error) {
      await generation.close();
      throw error;
    }
    const before = current;
    current = generation;
    const closed = http
      .serve(handlerOf(generation))
      .then(() => before.close())
      .catch((error: unknown) =>
        log.error(`error while closing the previous configuration: ${messageOf(error)}`),
      )
      .finally(() => closing.delete(closed));
    closing.add(closed);
    note(next, log);
    warnOfRestart(settings, next, log);
  };
  const closeAll = async (): Promise<void> => {
    await closeServer(http, current.settings);
    forgetSettings(current.settings);
    await Promise.all(closing);
    await current.close();
    await metrics.close();
  };
  let closed: Promise<void> | undefined;
  let addresses: Pick<Server, 'address' | 'metricsAddress'>;
  try {
    const address = await listen(http.server, settings.listen, settings.remoteUser !== undefined);
    addresses = { address, metricsAddress: await metrics.listen() };
    note(settings, log);
  } catch (error) {
    await closeAll();
    throw error;
  }
  return {
    ...addresses,
    reload: async (next, nextSources = sources, commit = () => undefined) => {
      try {
        await take(next, nextSources, commit);
        counters.reload(true);
      } catch (error) {
        counters.reload(false);
        throw error;
      }
    },
    close: () => (closed ??= closeAll()),
  };
}

const handlerOf =
  ({ app }: Generation): Parameters<SwappableServer['serve']>[0] =>
  (request, response) =>
    app.routing(request, response);

/** For `--check`; the portal itself works without the file. */
function note(settings: Settings, log: Log): void {
  try {
    noteSettings(settings, systemClock.now());
  } catch (error) {
    log.warn(`--check cannot see which settings this portal uses: ${messageOf(error)}`);
  }
}

function warnOfRestart(old: Settings, next: Settings, log: Log): void {
  for (const [knob, key] of [
    ['CREDMON_WEB_LISTEN', 'listen'],
    ['CREDMON_WEB_METRICS_LISTEN', 'metricsListen'],
  ] as const)
    if (!isDeepStrictEqual(old[key], next[key]))
      log.warn(`a changed ${knob} needs a restart; still using the old one`);
}

/**
 * Closes connections that have no answer after the longest time that a request to an
 * issuer may take. Otherwise a client that never sends its request would keep the process
 * alive.
 */
async function closeServer(http: SwappableServer, { requestSeconds }: Settings): Promise<void> {
  const done = new AbortController();
  const timeout = systemClock.wait(requestSeconds + 5, done.signal);
  await http.close(timeout);
  done.abort();
}

interface MetricsServer {
  readonly counters: Counters;
  listen(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Opens the metrics on an address of their own, so that no proxy publishes them. */
async function openMetrics(
  { metricsListen }: Settings,
  count: Generation['stores']['count'],
): Promise<MetricsServer> {
  if (!metricsListen)
    return { counters: NO_COUNTERS, listen: async () => undefined, close: async () => undefined };
  const { createFamilies } = await import('./metrics/families.ts');
  const families = createFamilies(VERSION, count);
  const server = createPageServer('/metrics', () => families.page());
  return {
    counters: families,
    listen: () => listen(server, metricsListen, false),
    close: async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await ended;
    },
  };
}
