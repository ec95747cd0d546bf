// The server: starts from settings, reloads while it runs, and closes its parts in order.
// After a reload, the new application gets the new requests, and the old application
// finishes the requests that it has begun.
import { type Counters, NO_COUNTERS } from './flow/ports.ts';
import { checkClosed, listen } from './host/listen.ts';
import { type Generation, createGeneration } from './app.ts';
import { forgetSettings, noteSettings } from './session-store/running-portal.ts';
import type { Settings } from './settings/settings.ts';
import { VERSION } from './version.ts';
import { messageOf, systemClock } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import {
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
  createServer,
} from 'node:http';
import { isDeepStrictEqual } from 'node:util';

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

/** Handles one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that passes each request to the current handler. */
export interface SwappableServer {
  readonly server: HttpServer;
  /**
   * Sends new requests to `handler`.
   * @returns when the previous handler has answered all its requests
   */
  serve(handler: Handler): Promise<void>;
  /**
   * Stops accepting connections.
   * @returns when all requests are answered; the remaining connections are closed when
   * `timeout` resolves
   */
  close(timeout: Promise<void>): Promise<void>;
}

interface Current {
  readonly handler: Handler;
  open: number;
  drained: (() => void) | undefined;
}

/** The longest a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;
/**
 * How long an idle connection is kept, in milliseconds: longer than proxies keep theirs,
 * so that a proxy does not reuse a connection that is already closed.
 */
const KEEP_ALIVE = 72_000;

/** Creates a server that does not listen yet. */
export function createSwappableServer(first: Handler): SwappableServer {
  let current: Current = { handler: first, open: 0, drained: undefined };
  let closing = false;
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT, keepAliveTimeout: KEEP_ALIVE },
    (request, response) => {
      const mine = current;
      mine.open += 1;
      response.once('close', () => {
        mine.open -= 1;
        if (mine.open === 0) mine.drained?.();
        // A keep-alive connection would wait for a next request, which is not answered.
        if (closing) request.socket.destroySoon();
      });
      mine.handler(request, response);
    },
  );
  return {
    server,
    serve(handler) {
      const before = current;
      current = { handler, open: 0, drained: undefined };
      return new Promise((resolve) => {
        if (before.open === 0) resolve();
        else before.drained = resolve;
      });
    },
    async close(timeout) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, timeout.then(() => server.closeAllConnections())]);
      await closed;
    },
  };
}

/**
 * Creates a server that serves one page, for GET only. `page` returns its content type
 * and text.
 */
export function createPageServer(
  path: string,
  page: () => Promise<{ readonly type: string; readonly text: string }>,
): HttpServer {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = request.method === 'GET' && request.url?.split('?', 1)[0] === path;
    const { type, text } = found ? await page() : { type: 'text/plain', text: `GET ${path}\n` };
    response
      .writeHead(found ? 200 : 404, { 'content-type': type, 'cache-control': 'no-store' })
      .end(text);
  };
  return createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
    answer(request, response).catch(() => response.writeHead(500).end());
  });
}
