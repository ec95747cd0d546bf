// What a test may choose about an issuer, and the choices it makes by itself.
import type { ClientMetadata, JWKS } from 'oidc-provider';

/** A client as the administrator of the issuer registers it. */
export interface IssuerClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /**
   * How the client proves itself at the token endpoint; `post` when not given, `none` for
   * a public client.
   */
  readonly authentication?: 'post' | 'basic' | 'none';
  /**
   * Public keys of a client that proves itself by private_key_jwt, instead of a secret.
   */
  readonly jwks?: JWKS;
  /**
   * What the client may ask for beside logins; without redirect URIs it is for nothing
   * else.
   */
  readonly grants?: readonly ('client_credentials' | typeof TOKEN_EXCHANGE)[];
}

/** The grant type of RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Options of an issuer; every one has a default. */
export interface IssuerOptions {
  /**
   * Shown on the login page and part of its cookies' names, because ports do not keep
   * cookies apart.
   */
  readonly name?: string;
  readonly clients?: readonly IssuerClient[];
  /** Seconds that an access token lives. */
  readonly accessTokenTtl?: number;
  /** Whether every refresh hands out a new refresh token and spends the old one. */
  readonly rotate?: boolean;
  /** Whether a login without PKCE is refused. */
  readonly pkceRequired?: boolean;
  /** Whether a login hands out a refresh token at all. */
  readonly refreshTokens?: boolean;
  readonly accessTokenFormat?: 'jwt' | 'opaque';
  /** Scopes that may be asked for, beside `openid`, `profile` and `offline_access`. */
  readonly scopes?: readonly string[];
  /** Who logs in when the page's account field is left as it is. */
  readonly account?: string;
  /** PEM texts; with them the issuer speaks https. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

export const ISSUER_DEFAULTS: Required<Omit<IssuerOptions, 'tls'>> = {
  name: 'issuer',
  clients: [],
  accessTokenTtl: 3600,
  rotate: true,
  pkceRequired: true,
  refreshTokens: true,
  accessTokenFormat: 'jwt',
  scopes: ['read', 'write', 'compute.read', 'storage.read:/', 'storage.modify:/'],
  account: 'alice',
};

/** The client in oidc-provider's words. */
export function clientMetadata(client: IssuerClient): ClientMetadata {
  return {
    client_id: client.clientId,
    ...(client.authentication === 'none' ? {} : { client_secret: client.clientSecret }),
    redirect_uris: [...client.redirectUris],
    grant_types: [
      ...(client.redirectUris.length === 0 ? [] : ['authorization_code']),
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
      ...(client.grants ?? []),
    ],
    response_types: client.redirectUris.length === 0 ? [] : ['code'],
    ...(client.jwks === undefined
      ? { token_endpoint_auth_method: METHODS[client.authentication ?? 'post'] }
      : {
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          jwks: client.jwks,
        }),
  };
}

const METHODS = { post: 'client_secret_post', basic: 'client_secret_basic', none: 'none' } as const;
