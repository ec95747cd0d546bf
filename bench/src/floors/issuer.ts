// A token endpoint on loopback that answers as fast as one Node.js process can: sockets and
// a parser for the requests of known clients, with latency, rotation and errors.
import { createServer, type Socket } from 'node:net';

/** How the issuer answers. */
export interface IssuerOptions {
  /** Milliseconds until each answer. */
  readonly latency: number;
  /** Whether each answer has a new refresh token, and the old one is invalid. */
  readonly rotation: boolean;
  /** The share of requests that are answered with `error`. */
  readonly errors: number;
  /** `503`, or an OAuth error code such as `invalid_grant`. */
  readonly error: string;
  /** Seconds until an access token expires. */
  readonly lifetime: number;
}

/** What the issuer has seen, as its answer to `GET /stats`. */
export interface IssuerStats {
  readonly answers: number;
  readonly refused: number;
  /** Refresh tokens that were presented after they had been replaced. */
  readonly reused: number;
  /** Epoch seconds of the first request and of the last answer. */
  readonly first: number;
  readonly last: number;
  /** Most requests at the same time. */
  readonly most: number;
  /** CPU seconds of the issuer. */
  readonly cpu: number;
}

const PADDING = 'x'.repeat(200);

/** Starts the issuer; prints its port as JSON. */
export function serveIssuer(options: IssuerOptions): void {
  const generations = new Map<string, number>();
  let [answers, refused, reused, first, last, open, most, count] = [0, 0, 0, 0, 0, 0, 0, 0];
  const now = (): number => Date.now() / 1000;
  const stats = (): IssuerStats => {
    const { user, system } = process.cpuUsage();
    return { answers, refused, reused, first, last, most, cpu: (user + system) / 1e6 };
  };
  const forget = (): void => {
    [answers, refused, reused, first, last, most] = [0, 0, 0, 0, 0, 0];
  };
  const tokenAnswer = (body: string): string => {
    count += 1;
    // Spread evenly, so that the same share fails whoever asks.
    if (Math.floor(count * options.errors) > Math.floor((count - 1) * options.errors)) {
      refused += 1;
      return options.error === '503'
        ? answer('503 Service Unavailable', '{}')
        : answer('400 Bad Request', JSON.stringify({ error: options.error }));
    }
    const [, token = '', id = '', generation = '0'] =
      /(?:^|&)refresh_token=(rt-([^&]*)-(\d+))(?:&|$)/.exec(body) ?? [];
    const current = generations.get(id) ?? 0;
    if (options.rotation && token !== '' && Number(generation) !== current) {
      refused += 1;
      if (Number(generation) < current) reused += 1;
      return answer('400 Bad Request', '{"error":"invalid_grant"}');
    }
    const next = options.rotation ? current + 1 : current;
    if (token !== '') generations.set(id, next);
    answers += 1;
    const refresh = token === '' ? '' : `,"refresh_token":"rt-${id}-${next}"`;
    return answer(
      '200 OK',
      `{"access_token":"at-${id || count}-${next}-${PADDING}","token_type":"Bearer","expires_in":${options.lifetime}${refresh}}`,
    );
  };
  const respond = (socket: Socket, line: string, body: string): void => {
    if (!line.startsWith('POST /token ')) {
      if (line.startsWith('GET /forget ')) forget();
      const known = line.startsWith('GET /stats ') || line.startsWith('GET /forget ');
      socket.write(
        known ? answer('200 OK', JSON.stringify(stats())) : answer('404 Not Found', '{}'),
      );
      return;
    }
    if (first === 0) first = now();
    open += 1;
    most = Math.max(most, open);
    const send = (): void => {
      open -= 1;
      if (!socket.destroyed) socket.write(tokenAnswer(body));
      last = now();
    };
    if (options.latency > 0) setTimeout(send, options.latency);
    else send();
  };
  const server = createServer({ noDelay: true }, (socket) => {
    let buffered = '';
    socket.setEncoding('latin1');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      buffered += chunk;
      for (;;) {
        const head = buffered.indexOf('\r\n\r\n');
        if (head < 0) return;
        const length = Number(
          /\r\ncontent-length: *(\d+)/i.exec(buffered.slice(0, head))?.[1] ?? 0,
        );
        const end = head + 4 + length;
        if (buffered.length < end) return;
        const line = buffered.slice(0, buffered.indexOf('\r\n'));
        const body = buffered.slice(head + 4, end);
        buffered = buffered.slice(end);
        respond(socket, line, body);
      }
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    process.stdout.write(`${JSON.stringify({ port })}\n`);
  });
}

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}
