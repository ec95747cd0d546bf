// An HTTP server whose application can be swapped: a reload sends new requests to the new
// application, and the old one finishes the requests it has begun.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Handles one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server that passes each request to the current handler. */
export interface SwappableServer {
  readonly server: Server;
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
): Server {
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
