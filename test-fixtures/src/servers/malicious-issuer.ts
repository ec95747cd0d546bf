// A malicious issuer: the test chooses its metadata, keys and endpoints, and any path can
// redirect.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';

/**
 * The manipulations. `host` is the host name in the identifier; the issuer always listens
 * on 127.0.0.1.
 */
export interface CrookedOptions {
  readonly host?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Replaces members of the valid metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Replaces members of the valid token response. */
  readonly token?: Readonly<Record<string, unknown>>;
  /** Paths that redirect. */
  readonly redirect?: { readonly path: string; readonly status: number; readonly to: string };
}

/** A running malicious issuer; `paths` are `METHOD /path` of all requests. */
export interface MaliciousIssuer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly port: number;
  readonly paths: string[];
  /**
   * Returns a signed access token for alice; these claims and headers replace the usual
   * ones.
   */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): string;
  /** Changes the manipulations. */
  become(options: Pick<CrookedOptions, 'metadata' | 'token' | 'redirect'>): void;
  close(): Promise<void>;
}

/** Starts a malicious issuer. */
export async function startMaliciousIssuer(options: CrookedOptions = {}): Promise<MaliciousIssuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  const paths: string[] = [];
  let present: Pick<CrookedOptions, 'metadata' | 'token' | 'redirect'> = options;
  const server = options.tls === undefined ? createServer() : createTlsServer({ ...options.tls });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const url = `${options.tls === undefined ? 'http' : 'https'}://${options.host ?? '127.0.0.1'}:${port}`;
  const tokenUrl = `${url}/token`;
  const jwt = (claims: Readonly<Record<string, unknown>> = {}, header = {}): string => {
    const now = Math.floor(Date.now() / 1000);
    const times = {
      iat: now - 1,
      nbf: now - 1,
      exp: now + 600,
      jti: randomBytes(8).toString('hex'),
    };
    const part = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })}.${part({ iss: url, sub: 'alice', aud: 'x', ...times, ...claims })}`;
    const signature = sign('sha256', Buffer.from(text), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `${text}.${signature.toString('base64url')}`;
  };
  const answers: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => ({
      issuer: url,
      token_endpoint: tokenUrl,
      device_authorization_endpoint: `${url}/device`,
      jwks_uri: `${url}/jwks`,
      ...present.metadata,
    }),
    '/jwks': () => ({ keys: [jwk] }),
    '/token': () => ({
      access_token: jwt(),
      token_type: 'bearer',
      expires_in: 600,
      refresh_token: randomBytes(8).toString('hex'),
      ...present.token,
    }),
    '/device': () => ({
      device_code: 'CANARY-device-code',
      user_code: 'ABCD-EFGH',
      verification_uri: `${url}/login`,
      expires_in: 600,
      interval: 1,
    }),
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', url);
    paths.push(`${request.method} ${pathname}`);
    request.resume();
    const { redirect } = present;
    const answer = answers[pathname];
    if (redirect?.path === pathname)
      response.writeHead(redirect.status, { location: redirect.to }).end();
    else if (answer === undefined) response.writeHead(404).end();
    else
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer()));
  });
  return {
    url,
    tokenUrl,
    port,
    paths,
    sign: jwt,
    become: (next) => {
      present = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
