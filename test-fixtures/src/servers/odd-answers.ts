// Token endpoints with invalid responses. Each is its own server, so that a failing
// issuer does not affect the others.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

/**
 * The behaviour of one endpoint. `keeps`: the refresh token in its response must be
 * stored although the response is rejected.
 */
export interface OddAnswer {
  readonly name: string;
  readonly keeps?: true;
  readonly answer: (response: ServerResponse, rotated: string) => void;
}

/** A running endpoint; `requests` are the request bodies. */
export interface OddEndpoint {
  readonly name: string;
  readonly keeps: boolean;
  readonly url: string;
  readonly rotated: string;
  readonly requests: string[];
  close(): void;
}

const JSON_TYPE = { 'content-type': 'application/json' };
type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Sends `body`. */
function send(
  body: string | Uint8Array,
  headers: Headers = JSON_TYPE,
  status = 200,
): (response: ServerResponse) => void {
  return (response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.statusCode = status;
    response.end(body);
  };
}

/** Sends a valid token response with the members of `change` replaced. */
function changed(change: Readonly<Record<string, unknown>>): OddAnswer['answer'] {
  return (response, rotated) => {
    const answer = {
      access_token: 'a',
      token_type: 'bearer',
      expires_in: 600,
      refresh_token: rotated,
    };
    send(JSON.stringify({ ...answer, ...change }))(response);
  };
}

const FORGED = 'x\n01/01/26 00:00:00 forged\u001b[31m';
/** Unusual refresh tokens in otherwise valid responses: they may be stored. */
export const OTHER_TOKENS: readonly string[] = ['r'.repeat(900_000), FORGED];

const failure = (status: number, retryAfter: string): OddAnswer['answer'] =>
  send('', { 'retry-after': retryAfter }, status);

/**
 * The responses by name; first those that are rejected but contain a rotated refresh
 * token to keep.
 */
export const ODD_ANSWERS: readonly OddAnswer[] = [
  ...Object.entries({
    'no access token': { access_token: undefined },
    'an access token that is a number': { access_token: 7 },
    'an access token that is empty': { access_token: '' },
    'a token type that is a list': { token_type: ['bearer'] },
    'a token type that nobody knows': { token_type: 'mac' },
  }).map(([name, change]) => ({ name, keeps: true as const, answer: changed(change) })),
  ...Object.entries({
    'an access token of two lines': { access_token: FORGED },
    'a refresh token that is a number': { refresh_token: 7 },
    'a refresh token of two lines': { refresh_token: FORGED },
    'a refresh token of 900 kB': { refresh_token: 'r'.repeat(900_000) },
    'a lifetime below zero': { expires_in: -1 },
    'a lifetime of many years': { expires_in: 1e15 },
    'a lifetime that is a text': { expires_in: 'soon' },
    'a lifetime that is an object': { expires_in: {} },
    'a scope that is a list': { scope: ['read'] },
    'a scope of two lines': { scope: FORGED },
    'NUL in a text': { scope: 'a\0b' },
    'an error in a good answer': { error: 'invalid_grant', error_description: FORGED },
    'names of every object': { constructor: 7, toString: 7, hasOwnProperty: 7 },
  }).map(([name, change]) => ({ name, answer: changed(change) })),
  ...Object.entries({
    'a prototype': send('{"__proto__":{"access_token":"a","token_type":"bearer"}}'),
    'a lifetime beyond all numbers': send(
      '{"access_token":"a","token_type":"bearer","expires_in":1e999}',
    ),
    'deep nesting': send('{"a":'.repeat(150_000)),
    'a list': send('[{"access_token":"a"}]'),
    null: send('null'),
    'a text': send('"access_token"'),
    'half an object': send('{"access_token":"a'),
    'invalid UTF-8': send(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
    'no content type': send('hello', {}),
    'plain text': send(FORGED, { 'content-type': 'text/plain' }),
    'a false encoding': send('{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }),
    'no content': send('', {}, 204),
    'two hundred headers': send('[]', {
      ...JSON_TYPE,
      ...Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`x-${n}`, 'y'.repeat(40)])),
    }),
    'an error of two lines': send(
      JSON.stringify({ error: FORGED, error_description: FORGED }),
      JSON_TYPE,
      400,
    ),
    'an error of 500 kB': send(
      JSON.stringify({ error: 'invalid_request', error_description: 'e'.repeat(500_000) }),
      JSON_TYPE,
      400,
    ),
    'an error that is an object': send('{"error":{"a":1}}', JSON_TYPE, 400),
    'a status that nobody knows': send('', {}, 799),
    'a wait of 30,000 years': failure(503, '1000000000000'),
    'a wait below zero': failure(503, '-5'),
    'a long wait': failure(429, '9999'),
    'a wait until long ago': failure(503, 'Thu, 01 Jan 1970 00:00:00 GMT'),
    'half of what was announced': ((response) => {
      response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' });
      response.write('{"access_token"', () => response.destroy());
    }) satisfies OddAnswer['answer'],
    'a byte now and then': ((response) => {
      response.writeHead(200, JSON_TYPE);
      const drip = setInterval(() => response.write(' '), 200);
      response.on('close', () => clearInterval(drip));
    }) satisfies OddAnswer['answer'],
    '200 MB': ((response) => {
      response.writeHead(200, JSON_TYPE);
      let left = 200;
      const more = (): void => {
        left -= 1;
        if (left < 0) response.end();
        else response.write('x'.repeat(1_000_000), more);
      };
      more();
    }) satisfies OddAnswer['answer'],
  }).map(([name, answer]) => ({ name, answer })),
];

/** Redirects to `target`, with each status that a client might follow, and to files. */
export function redirects(target: string): readonly OddAnswer[] {
  const statuses = [301, 302, 303, 307, 308].map((status) => ({
    name: `a redirect by ${status}`,
    answer: send('', { location: target }, status),
  }));
  return [
    ...statuses,
    { name: 'a redirect to a file', answer: send('', { location: 'file:///etc/passwd' }, 307) },
  ];
}

/** Starts an endpoint on a free port of 127.0.0.1. */
export async function startOddEndpoint(
  { name, keeps, answer }: OddAnswer,
  rotated: string,
): Promise<OddEndpoint> {
  const requests: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    response.on('error', () => undefined);
    request.on('end', () => {
      requests.push(body);
      answer(response, rotated);
    });
  });
  const port = await open(server);
  const url = `http://127.0.0.1:${port}/token`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { name, keeps: keeps === true, url, rotated, requests, close };
}

/** A server that accepts connections and never answers, as before a TLS handshake. */
export async function startMuteServer(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  const port = await open(server);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return (server.address() as AddressInfo).port;
}
