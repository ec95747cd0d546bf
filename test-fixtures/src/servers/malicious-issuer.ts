// An issuer that somebody has tampered with: its metadata, its keys and its endpoints say
// what a test wants, and any path can redirect.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { AddressInfo } from 'node:net';

/**
 * What is crooked. `host` is the name in the issuer's identifier; it listens on 127.0.0.1
 * all the same.
 */
export interface CrookedOptions {
  readonly host?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Put over the honest metadata. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Put over the honest answer of the token endpoint. */
  readonly token?: Readonly<Record<string, unknown>>;
  /** Paths that lead elsewhere. */
  readonly redirect?: { readonly path: string; readonly status: number; readonly to: string };
}

/** A running crooked issuer; `paths` are `METHOD /path` of all requests. */
export interface MaliciousIssuer {
  readonly url: string;
  readonly tokenUrl: string;
  readonly port: number;
  readonly paths: string[];
  /**
   * An access token that it signed for alice, with these claims and headers put over the
   * usual ones.
   */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): string;
  /** Is crooked in another way from now on. */
  become(options: Pick<CrookedOptions, 'metadata' | 'token' | 'redirect'>): void;
  close(): Promise<void>;
}

/** Starts one. */
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
