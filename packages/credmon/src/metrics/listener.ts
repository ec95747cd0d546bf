// Serves the metrics over HTTP: three paths, only GET, short time-outs; for more, use a
// web server in front.
import { opendirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  CodedError,
  makeSocket,
  messageOf,
  removeStaleSocket,
  systemCode,
} from '@credmon/core/base';
import { addressText, type MetricsAddress } from '../settings/metrics-address.ts';

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
