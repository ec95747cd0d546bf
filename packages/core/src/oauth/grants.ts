// The OAuth grants. With a user: the authorization code with PKCE, and the refresh token.
import { CodedError, originOf, type Send } from '../base/index.ts';
import { requestToken, type ClientRegistration, revokeAtIssuer } from './client.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';

/**
 * The callback of the browser, and the values of the authorization request. `query` is
 * the callback's query without the leading `?`; `now` in epoch seconds.
 */
export interface CodeExchange {
  readonly redirectUri: string;
  readonly query: string;
  readonly state: string;
  readonly nonce?: string | undefined;
  readonly codeVerifier: string;
  readonly now: number;
}

/**
 * Exchanges an authorization code for tokens. `iss` in the callback must be the
 * configured issuer; if no issuer is configured, it must have the origin of the
 * authorization endpoint.
 * @throws CodedError as `requestToken`, and `LOGIN_REFUSED` if the issuer sent an error
 * instead of a code
 * @see RFC 6749, section 4.1.3; RFC 9207
 */
export async function exchangeCode(
  send: Send,
  registration: ClientRegistration,
  exchange: CodeExchange,
): Promise<TokenAnswer> {
  const callback = new URL(exchange.redirectUri);
  for (const [name, value] of new URLSearchParams(exchange.query))
    callback.searchParams.append(name, value);
  const issuer = registration.issuer ?? issuerFromCallback(registration, callback);
  refuseErrorCallback(registration, callback, issuer);
  const verifyIdToken = registration.issuer !== undefined;
  const checks = {
    issuer,
    verifyIdToken,
    secrets: [exchange.codeVerifier, callback.searchParams.get('code') ?? ''],
    redirectUri: exchange.redirectUri,
    now: exchange.now,
  };
  return requestToken(send, registration, checks, (openid, configuration) =>
    openid.authorizationCodeGrant(configuration, callback, {
      pkceCodeVerifier: exchange.codeVerifier,
      expectedState: exchange.state,
      ...(verifyIdToken && exchange.nonce !== undefined ? { expectedNonce: exchange.nonce } : {}),
    }),
  );
}

function issuerFromCallback(registration: ClientRegistration, callback: URL): string | undefined {
  const iss = callback.searchParams.get('iss');
  if (iss === null) return undefined;
  if (originOf(iss) === originOf(registration.authorizationUrl ?? registration.tokenUrl))
    return iss;
  throw mismatch(registration);
}

function refuseErrorCallback(
  registration: ClientRegistration,
  callback: URL,
  issuer: string | undefined,
): void {
  const iss = callback.searchParams.get('iss');
  if (iss !== null && issuer !== undefined && iss !== issuer) throw mismatch(registration);
  const error = callback.searchParams.get('error');
  if (error === null) return;
  const name = /^[\w.-]{1,64}$/.test(error) ? error : 'an invalid error code';
  throw new CodedError(
    'LOGIN_REFUSED',
    `the issuer of ${registration.provider} rejected the login: ${name}`,
    {
      provider: registration.provider,
      error: name,
    },
  );
}

function mismatch({ provider }: ClientRegistration): CodedError {
  const fix = `if it is correct, set CREDMON_${provider}_ISSUER to its exact identifier`;
  return new CodedError(
    'ISSUER_MISMATCH',
    `issuer mismatch: the response for ${provider} names another issuer; ${fix}`,
    {
      provider,
    },
  );
}

/**
 * Renews with a refresh token. If the response has no new refresh token, the old one
 * stays valid. `salvage` is called with a new one in a rejected response.
 * @throws CodedError as `requestToken`
 * @see RFC 6749, section 6
 */
export function refreshGrant(
  send: Send,
  registration: ClientRegistration,
  refresh: {
    readonly refreshToken: string;
    readonly now: number;
    readonly salvage?: ((refreshToken: string) => void) | undefined;
  },
): Promise<TokenAnswer> {
  // The user was identified at the login. An invalid ID token must not cost the rotated
  // refresh token.
  const checks = {
    issuer: registration.issuer,
    verifyIdToken: false,
    secrets: [refresh.refreshToken],
    now: refresh.now,
    salvage: refresh.salvage,
  };
  return requestToken(send, registration, checks, (openid, configuration) =>
    openid.refreshTokenGrant(configuration, refresh.refreshToken),
  );
}

// Without a user: client credentials, token exchange, and revocation.

/**
 * The requested scopes, audiences and resources. Empty ones are left out of the request;
 * `now` in epoch seconds.
 */
export interface TokenWish {
  readonly scope: string;
  readonly audience: readonly string[];
  readonly resources: readonly string[];
  readonly now: number;
}

/**
 * Requests a token for the client itself.
 * @throws CodedError as `requestToken`
 * @see RFC 6749, section 4.4; RFC 8707 (resource)
 */
export function clientCredentialsGrant(
  send: Send,
  registration: ClientRegistration,
  request: TokenWish,
): Promise<TokenAnswer> {
  const form = formOf(request);
  // Many issuers support only one `audience`, with all audiences in it.
  if (request.audience.length > 0) form.set('audience', request.audience.join(' '));
  return requestToken(
    send,
    registration,
    checksOf(registration, request, []),
    (openid, configuration) => openid.clientCredentialsGrant(configuration, form),
  );
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/**
 * Exchanges an access token of the same issuer for another token.
 * @throws CodedError as `requestToken`; also `ISSUER_ANSWER_INVALID` if the issued token
 * is not an access token
 * @see RFC 8693, section 2
 */
export async function tokenExchangeGrant(
  send: Send,
  registration: ClientRegistration,
  request: TokenWish & { readonly subjectToken: string },
): Promise<TokenAnswer> {
  const form = formOf(request);
  form.set('subject_token', request.subjectToken);
  form.set('subject_token_type', ACCESS_TOKEN);
  for (const audience of request.audience) form.append('audience', audience);
  const checks = checksOf(registration, request, [request.subjectToken]);
  const answer = await requestToken(send, registration, checks, (openid, configuration) =>
    openid.genericGrantRequest(configuration, EXCHANGE, form),
  );
  const type = answer.answer['issued_token_type'] ?? ACCESS_TOKEN;
  if (type === ACCESS_TOKEN || type === JWT) return answer;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid token response for ${registration.provider}: issued_token_type is not an access token`,
    { provider: registration.provider },
  );
}

/** A token to revoke and its type. `now` in epoch seconds. */
export interface Revocation {
  readonly token: string;
  readonly hint: 'refresh_token' | 'access_token';
  readonly now: number;
}

/**
 * Revokes a token. An issuer's response is the same for an unknown token.
 * @throws CodedError as `requestToken`
 * @see RFC 7009, section 2
 */
export function revokeToken(
  send: Send,
  registration: ClientRegistration,
  revocationUrl: string,
  { token, hint, now }: Revocation,
): Promise<void> {
  return revokeAtIssuer(
    send,
    registration,
    revocationUrl,
    { token, now },
    (openid, configuration) =>
      openid.tokenRevocation(configuration, token, { token_type_hint: hint }),
  );
}

function formOf({ scope, resources }: TokenWish): URLSearchParams {
  const form = new URLSearchParams();
  const scopes = splitScopes(scope).join(' ');
  if (scopes !== '') form.set('scope', scopes);
  for (const resource of resources) form.append('resource', resource);
  return form;
}

function checksOf(
  { issuer }: ClientRegistration,
  { now }: TokenWish,
  secrets: readonly string[],
): { issuer: string | undefined; verifyIdToken: boolean; secrets: readonly string[]; now: number } {
  return { issuer, verifyIdToken: false, secrets, now };
}
