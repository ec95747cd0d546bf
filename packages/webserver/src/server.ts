// A whole server from settings: listening, taking new settings while it runs, and closed
// in order.
import { isDeepStrictEqual } from 'node:util';
import { messageOf, systemClock } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { createFront, createPageServer, type Front } from './serving/front.ts';
import { createGeneration, type Generation } from './serving/generation.ts';
import { checkClosed, listen } from './host/listen.ts';
import { NO_COUNTERS, type Counters } from './metrics/counters.ts';
import type { Settings } from './settings/settings.ts';
import { VERSION } from './version.ts';

/** A running server. */
export interface Server {
  /** Where it listens: a URL, `unix:/path` or `fd:N`. */
  readonly address: string;
  /** Where its metrics are, if anywhere. */
  readonly metricsAddress: string | undefined;
  /**
   * Continues with other settings; what is in flight ends with the old ones, and sessions
   * stay. Only the addresses stay what they were.
   * @param sources the files that the settings come from
   * @param commit called last of what may fail; when it throws, the old settings stay
   * @throws CodedError what keeps the new settings from working; the old ones then stay
   */
  reload(settings: Settings, sources?: readonly string[], commit?: () => void): Promise<void>;
  /** Finishes what is in flight, then stops; the second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts a server.
 * @param sources the files that the settings come from: the server is ready only while
 * they can be read
 * @throws CodedError `CONFIG_INVALID` (also when the address cannot be had),
 * `CRED_DIR_INVALID`, `SESSION_STORE_FULL`
 */
export async function startServer(
  settings: Settings,
  log: Log,
  sources: readonly string[] = [],
): Promise<Server> {
  const metrics = await openMetrics(settings, () => current.stores.count());
  const { counters } = metrics;
  const surroundings = { listen: settings.listen, log, counters };
  let current = await createGeneration(settings, { ...surroundings, sources }).catch(
    async (error: unknown) => {
      await metrics.close();
      throw error;
    },
  );
  const front = createFront(handlerOf(current));
  const endings = new Set<Promise<void>>();
  const take = async (
    next: Settings,
    nextSources: readonly string[],
    commit: () => void,
  ): Promise<void> => {
    if (next.remoteUser) checkClosed(front.server, settings.listen);
    const generation = await createGeneration(next, { ...surroundings, sources: nextSources });
    try {
      commit();
    } catch (error) {
      await generation.close();
      throw error;
    }
    const before = current;
    current = generation;
    const ending = front
      .serve(handlerOf(generation))
      .then(() => before.close())
      .catch((error: unknown) =>
        log.error(`error while closing the previous configuration: ${messageOf(error)}`),
      )
      .finally(() => endings.delete(ending));
    endings.add(ending);
    warnOfRestart(settings, next, log);
  };
  const closeAll = async (): Promise<void> => {
    await closeFront(front, current.settings);
    await Promise.all(endings);
    await current.close();
    await metrics.close();
  };
  let closed: Promise<void> | undefined;
  let addresses: Pick<Server, 'address' | 'metricsAddress'>;
  try {
    const address = await listen(front.server, settings.listen, settings.remoteUser !== undefined);
    addresses = { address, metricsAddress: await metrics.listen() };
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
  ({ app }: Generation): Parameters<Front['serve']>[0] =>
  (request, response) =>
    app.routing(request, response);

function warnOfRestart(old: Settings, next: Settings, log: Log): void {
  for (const [knob, key] of [
    ['CREDMON_WEB_LISTEN', 'listen'],
    ['CREDMON_WEB_METRICS_LISTEN', 'metricsListen'],
  ] as const)
    if (!isDeepStrictEqual(old[key], next[key]))
      log.warn(`a changed ${knob} needs a restart; still using the old one`);
}

/**
 * A connection that never sends its request would hold the process for ever; what is in
 * flight may take as long as an issuer may.
 */
async function closeFront(front: Front, { requestSeconds }: Settings): Promise<void> {
  const done = new AbortController();
  const patience = systemClock.wait(requestSeconds + 5, done.signal);
  await front.close(patience);
  done.abort();
}

interface MetricsServer {
  readonly counters: Counters;
  listen(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Metrics have an address of their own, so that no proxy shows them to the world. */
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
