// A Vault for tests, over TLS: Vault tokens, and access tokens of the oauthapp secrets
// plug-in, like its documented interface.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  errors,
  faultyVaultAnswer,
  secret,
  type VaultAnswer,
  type VaultFault,
} from '../vault/faults.ts';

export type { VaultAnswer, VaultFault } from '../vault/faults.ts';
export { errors, secret } from '../vault/faults.ts';

/** One request to the Vault. `token` is the name of the Vault token, not its text. */
export interface VaultRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly token: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** Options of a Vault. `host` is the listen address; PEM texts for TLS. */
export interface VaultOptions {
  readonly key: string;
  readonly cert: string;
  readonly host?: string;
  /** The lifetime of access tokens in seconds. */
  readonly tokenTtl?: number;
  readonly tokenFormat?: 'jwt' | 'opaque';
}

/** A running Vault. */
export interface FakeVault {
  readonly port: number;
  readonly requests: VaultRequest[];
  /**
   * Returns a Vault token for a user that may read
   * `secret/oauth-ISSUER/creds/USER:default` (and exchange it below `sts/`).
   */
  login(user: string, issuer?: string): { readonly token: string; readonly path: string };
  /** Revokes a Vault token: reads with it return "permission denied". */
  revoke(token: string): void;
  setFault(fault?: VaultFault): void;
  /** Redirects every request from now on. */
  redirect(status: number, location: string): void;
  /**
   * Sets the answers of reads from now on, by the query of the request; `undefined` is the
   * normal answer.
   */
  setAnswer(answer?: (query: Readonly<Record<string, string>>) => VaultAnswer | undefined): void;
  /** The lifetime of access tokens from now on, in seconds. */
  setTokenTtl(seconds: number): void;
  /**
   * Sets the scopes of new access tokens, for any request; without an argument, the
   * requested scopes are granted.
   */
  setScopes(scopes?: string): void;
  close(): Promise<void>;
}

/** Starts a Vault on a port that the system chooses. */
export async function startVault(options: VaultOptions): Promise<FakeVault> {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const logins = new Map<string, { readonly user: string; readonly paths: readonly string[] }>();
  const cached = new Map<string, { readonly token: string; readonly expiresAt: number }>();
  const requests: VaultRequest[] = [];
  let fault: VaultFault | undefined;
  let ttl = options.tokenTtl ?? 10_800;
  let scopes: string | undefined;
  let redirection: VaultAnswer | undefined;
  let special: ((query: Readonly<Record<string, string>>) => VaultAnswer | undefined) | undefined;

  const newToken = (user: string, query: URLSearchParams, now: number): string => {
    if (options.tokenFormat === 'opaque') return randomBytes(24).toString('base64url');
    const part = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const audience = query.get('audience') ?? query.get('audiences');
    const claims = {
      iss: 'https://issuer.example',
      sub: user,
      iat: now,
      exp: now + ttl,
      jti: randomBytes(8).toString('hex'),
      scope: scopes ?? query.get('scopes')?.replaceAll(',', ' ') ?? 'storage.read:/',
      ...(audience === null ? {} : { aud: audience.split(',') }),
    };
    const text = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };

  /**
   * The plug-in returns the same token until less than `minimum_seconds` of it are left.
   */
  const read = (user: string, url: URL): VaultAnswer => {
    const now = Math.floor(Date.now() / 1000);
    const { minimum_seconds: minimum = '0', ...wanted } = Object.fromEntries(url.searchParams);
    if (!/^\d+$/.test(minimum))
      return errors(400, 'Field validation failed: minimum_seconds is not a number');
    const name = JSON.stringify([user, url.pathname, wanted]);
    const before = cached.get(name);
    const entry =
      before && before.expiresAt - now > Number(minimum)
        ? before
        : { token: newToken(user, url.searchParams, now), expiresAt: now + ttl };
    cached.set(name, entry);
    return secret({
      access_token: entry.token,
      server: 'default',
      type: 'Bearer',
      expire_time: new Date(entry.expiresAt * 1000).toISOString(),
    });
  };

  const answer = (request: IncomingMessage): VaultAnswer | undefined => {
    const url = new URL(request.url ?? '/', 'https://vault.invalid');
    const token = String(request.headers['x-vault-token'] ?? '');
    requests.push({
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      token: token === '' ? undefined : nameOf(token),
      headers: Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => name !== 'x-vault-token'),
      ),
    });
    if (redirection !== undefined) return redirection;
    if (fault !== undefined) return faultyVaultAnswer(fault, token);
    if (token === '') return errors(400, 'missing client token');
    const login = logins.get(token);
    if (login && request.method === 'POST' && url.pathname === '/v1/auth/token/revoke-self') {
      logins.delete(token);
      return { status: 204, body: '' };
    }
    if (!login?.paths.includes(url.pathname))
      return errors(403, '1 error occurred:\n\t* permission denied\n\n');
    if (request.method !== 'GET') return errors(405);
    return special?.(Object.fromEntries(url.searchParams)) ?? read(login.user, url);
  };

  const server = createServer({ key: options.key, cert: options.cert }, (request, response) =>
    reply(response, answer(request)),
  );
  const host = options.host ?? '127.0.0.1';
  const listen = (at: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, host, () => resolve());
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    requests,
    login: (user, issuer = 'default') => {
      const token = `hvs.CANARY${randomBytes(18).toString('base64url')}`;
      const path = `/v1/secret/oauth-${issuer}/creds/${user}:default`;
      logins.set(token, { user, paths: [path, path.replace('/creds/', '/sts/')] });
      return { token, path };
    },
    revoke: (token) => void logins.delete(token),
    setFault: (name) => {
      fault = name;
    },
    redirect: (status, location) => {
      redirection = { status, headers: { location }, body: '' };
    },
    setAnswer: (answers) => {
      special = answers;
    },
    setTokenTtl: (seconds) => {
      ttl = seconds;
    },
    setScopes: (given) => {
      scopes = given;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Returns a short name for a Vault token that does not reveal its text. */
export function nameOf(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

function reply(response: ServerResponse, answer: VaultAnswer | undefined): void {
  if (!answer) return;
  const isText = typeof answer.body === 'string';
  response.writeHead(answer.status, {
    'content-type': isText ? 'text/html' : 'application/json',
    'cache-control': 'no-store',
    ...answer.headers,
  });
  response.end(isText ? answer.body : JSON.stringify(answer.body));
}
