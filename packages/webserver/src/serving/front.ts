// The HTTP server itself, which outlives the applications behind it: a new configuration
// brings a new one, and what the old one has begun it ends.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Answers requests. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server whose requests go to whichever handler is current. */
export interface Front {
  readonly server: Server;
  /**
   * Lets new requests go to `handler`.
   * @returns when the handler before has answered all of its own
   */
  serve(handler: Handler): Promise<void>;
  /**
   * Takes no more connections.
   * @returns when everything is answered, at the latest `patience` has come
   */
  close(patience: Promise<void>): Promise<void>;
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
 * so that none meets a closed one.
 */
const KEEP_ALIVE = 72_000;

/** A front that does not listen yet. */
export function createFront(first: Handler): Front {
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
        // The connection would stay open for a next request, which nobody will answer.
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
    async close(patience) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, patience.then(() => server.closeAllConnections())]);
      await closed;
    },
  };
}

/** A server of one page, for GET alone. `page` answers with its type and text. */
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
