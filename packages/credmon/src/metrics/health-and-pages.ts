// Serves the metrics and the health checks over HTTP: three paths, only GET, short time-outs;
// for more, use a web server in front. The listener is opened, moved and closed as
// configured. A failure is logged once and retried on request.
import { opendirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  CodedError,
  makeSocket,
  messageOf,
  removeStaleSocket,
  systemCode,
} from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { addressText, type MetricsAddress } from '../settings/metrics-address.ts';
import type { Families, Moment } from './families.ts';

/** A response. */
export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** The pages by path. */
export type Pages = Readonly<Record<string, () => Promise<Page>>>;

/** An open listener; `where` is its address, with the port that it got. */
export interface Listener {
  readonly where: string;
  close(): Promise<void>;
}

/** Owner and group may connect, and so read the metrics. */
const SOCKET_MODE = 0o660;
const TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 32;

/**
 * Listens at an address. A socket left by a dead process is replaced. `warn` gets later
 * problems.
 * @throws CodedError `METRICS_UNSERVED` when it cannot listen there
 */
export async function openListener(
  address: MetricsAddress,
  pages: Pages,
  warn: (text: string) => void,
): Promise<Listener> {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_MS,
    },
    (request, response) => void answer(request, response, pages, warn),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(TIMEOUT_MS);
  try {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    await listen(server, address);
  } catch (error) {
    server.close();
    throw notServed(address, error);
  }
  server.on('error', (error) => warn(`${addressText(address)}: ${error.message}`));
  return { where: placeOf(server, address), close: () => closed(server) };
}

function listen(server: Server, address: MetricsAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = (): void => {
      server.off('error', reject);
      resolve();
    };
    if (address.kind === 'unix')
      makeSocket(SOCKET_MODE, () => server.listen({ path: address.path }, done));
    else server.listen(address.kind === 'fd' ? { fd: address.descriptor } : address, done);
  });
}

function notServed(address: MetricsAddress, error: unknown): CodedError {
  return new CodedError(
    'METRICS_UNSERVED',
    `cannot serve the metrics at ${addressText(address)} (${systemCode(error) ?? messageOf(error)}); ` +
      'tokens are still renewed; retried at SIGHUP',
    {},
    error,
  );
}

function placeOf(server: Server, address: MetricsAddress): string {
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  return addressText(address.kind === 'tcp' && port !== undefined ? { ...address, port } : address);
}

/** Closes open connections, too: the process is about to exit. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pages: Pages,
  warn: (text: string) => void,
): Promise<void> {
  try {
    const { status, type, text } = await pageFor(request, pages);
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...(status === 405 ? { allow: 'GET' } : {}),
    });
    response.end(text);
  } catch (error) {
    warn(`request for the metrics failed: ${messageOf(error)}`);
    response.destroy();
  }
}

async function pageFor({ method, url = '' }: IncomingMessage, pages: Pages): Promise<Page> {
  const type = 'text/plain; charset=utf-8';
  if (method !== 'GET') return { status: 405, type, text: 'only GET\n' };
  const path = url.split('?', 1)[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page ? page() : { status: 404, type, text: `${Object.keys(pages).join(' ')}\n` };
}

/** Returns why a directory cannot be read, `undefined` when it can. */
export function whyUnreadable(path: string): string | undefined {
  try {
    opendirSync(path).closeSync();
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

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
