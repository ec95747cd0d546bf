// The options of an issuer and their defaults.
import type { ClientMetadata, JWKS } from 'oidc-provider';

/** A client of the issuer. */
export interface IssuerClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /**
   * The client authentication at the token endpoint; default `post`, `none` for a public
   * client.
   */
  readonly authentication?: 'post' | 'basic' | 'none';
  /** Public keys of a client with private_key_jwt, instead of a secret. */
  readonly jwks?: JWKS;
  /** The other grants of the client. Without redirect URIs, it has only these. */
  readonly grants?: readonly ('client_credentials' | typeof TOKEN_EXCHANGE)[];
}

/** The grant type of RFC 8693. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Options of an issuer; every one has a default. */
export interface IssuerOptions {
  /**
   * The name on the login page and in its cookies, because cookies are shared between
   * ports.
   */
  readonly name?: string;
  readonly clients?: readonly IssuerClient[];
  /** The lifetime of access tokens in seconds. */
  readonly accessTokenTtl?: number;
  /** Whether each refresh returns a new refresh token and invalidates the old one. */
  readonly rotate?: boolean;
  /** Whether a login without PKCE is rejected. */
  readonly pkceRequired?: boolean;
  /** Whether a login returns a refresh token. */
  readonly refreshTokens?: boolean;
  readonly accessTokenFormat?: 'jwt' | 'opaque';
  /** The supported scopes besides `openid`, `profile` and `offline_access`. */
  readonly scopes?: readonly string[];
  /** The default account of the login page. */
  readonly account?: string;
  /** PEM texts; the issuer then uses https. */
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

/** Converts the client to the format of oidc-provider. */
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
