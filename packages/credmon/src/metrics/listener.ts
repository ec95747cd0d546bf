// Serves the metrics over HTTP: three paths, GET alone, short patience; whoever wants
// more puts a web server in front.
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

/** An answer. */
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

/** Whoever may read the socket may read the metrics: its owner and group. */
const SOCKET_MODE = 0o660;
const PATIENCE_MS = 10_000;
const MOST_CONNECTIONS = 32;

/**
 * Listens at an address. A socket that a dead process left is replaced. `trouble` learns
 * of what goes wrong later.
 * @throws CodedError `METRICS_UNSERVED` when the address cannot be had
 */
export async function openListener(
  address: MetricsAddress,
  pages: Pages,
  trouble: (text: string) => void,
): Promise<Listener> {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      connectionsCheckingInterval: PATIENCE_MS,
    },
    (request, response) => void answer(request, response, pages, trouble),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(PATIENCE_MS);
  try {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    await listen(server, address);
  } catch (error) {
    server.close();
    throw notServed(address, error);
  }
  server.on('error', (error) => trouble(`${addressText(address)}: ${error.message}`));
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
    `the metrics cannot be served at ${addressText(address)} (${systemCode(error) ?? messageOf(error)}); tokens are renewed all the same, and SIGHUP tries again`,
    {},
    error,
  );
}

function placeOf(server: Server, address: MetricsAddress): string {
  const bound = server.address();
  const port = typeof bound === 'object' ? bound?.port : undefined;
  return addressText(address.kind === 'tcp' && port !== undefined ? { ...address, port } : address);
}

/** A scrape under way is cut off: the process is to end. */
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
  trouble: (text: string) => void,
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
    trouble(`a request for the metrics failed: ${messageOf(error)}`);
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

/** Why a directory cannot be read, `undefined` when it can. */
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
