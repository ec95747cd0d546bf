// A server that must not receive secrets: records all requests and answers so that a
// careless client continues.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One complete request. */
export interface Theft {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A running capture server. `url` is its origin, on 127.0.0.1. */
export interface CaptureServer {
  readonly url: string;
  readonly port: number;
  readonly requests: Theft[];
  /**
   * Returns the names of the secrets in any request, in plain, form, URL or Basic
   * encoding.
   */
  carried(secrets: Readonly<Record<string, string>>): string[];
  close(): Promise<void>;
}

/** Starts a capture server; with PEM texts it uses https. */
export async function startCaptureServer(tls?: {
  readonly key: string;
  readonly cert: string;
}): Promise<CaptureServer> {
  const requests: Theft[] = [];
  const server = tls === undefined ? createServer() : createTlsServer({ ...tls });
  server.on('request', (request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', rawHeaders: headers } = request;
      requests.push({ method, url: path, headers, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(welcome(url)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return {
    url,
    port,
    requests,
    carried: (secrets) => {
      const seen = requests.map(everythingOf).join('\n');
      return Object.entries(secrets)
        .filter(([, secret]) => spellings(secret).some((text) => seen.includes(text)))
        .map(([name]) => name);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Metadata, token response, device login and Vault secret in one. */
function welcome(url: string): Record<string, unknown> {
  return {
    issuer: url,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/jwks`,
    device_authorization_endpoint: `${url}/device`,
    access_token: 'stolen',
    token_type: 'bearer',
    expires_in: 600,
    data: { access_token: 'stolen' },
    keys: [],
  };
}

function everythingOf({ method, url, headers, body }: Theft): string {
  const basic = headers.flatMap((text) => {
    const encoded = /^basic (.+)$/i.exec(text)?.[1];
    return encoded === undefined ? [] : [Buffer.from(encoded, 'base64').toString('utf8')];
  });
  return [method, url, ...headers, body, ...basic].join('\n');
}

function spellings(secret: string): string[] {
  const form = new URLSearchParams({ x: secret }).toString().slice(2);
  return [
    secret,
    encodeURIComponent(secret),
    form,
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ];
}
