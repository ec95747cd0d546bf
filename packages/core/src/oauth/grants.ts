// The grants of the main job: the authorization code with PKCE, and the refresh token.
import * as openid from 'openid-client';
import { CodedError, originOf, type Send } from '../base/index.ts';
import {
  configurationOf,
  requestToken,
  type ClientRegistration,
  revokeAtIssuer,
} from './client.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';

/**
 * What an authorization request says. `scope` and `resource` as the key file has them;
 * empty ones are left out.
 */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly scope: string;
  readonly resource: string;
  readonly state: string;
  readonly nonce?: string;
  readonly codeChallenge: string;
}

/**
 * The URL to send a browser to.
 * @throws CodedError `ENDPOINT_REFUSED`
 * @see RFC 6749, section 4.1.1; RFC 7636 (PKCE, S256); RFC 8707 (resource)
 */
export function authorizationUrl(
  registration: ClientRegistration,
  request: AuthorizationRequest,
): URL {
  const scope = splitScopes(request.scope).join(' ');
  return openid.buildAuthorizationUrl(configurationOf(registration, registration.issuer), {
    response_type: 'code',
    redirect_uri: request.redirectUri,
    state: request.state,
    code_challenge: request.codeChallenge,
    code_challenge_method: 'S256',
    ...(scope === '' ? {} : { scope }),
    ...(request.resource === '' ? {} : { resource: request.resource }),
    ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
  });
}

/**
 * What the browser returned, and what was sent with it. `query` is the callback's
 * query without the leading `?`; `now` in epoch seconds.
 */
export interface CodeExchange {
  readonly redirectUri: string;
  readonly query: string;
  readonly state: string;
  readonly nonce?: string;
  readonly codeVerifier: string;
  readonly now: number;
}

/**
 * Exchanges an authorization code for tokens. `iss` in the callback must be the
 * configured issuer; without one it must at least be of the authorization endpoint's
 * origin.
 * @throws CodedError as `requestToken`, and `LOGIN_REFUSED` when the issuer sent an error
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
  const judgement = {
    issuer,
    verifyIdToken,
    secrets: [exchange.codeVerifier, callback.searchParams.get('code') ?? ''],
    redirectUri: exchange.redirectUri,
    now: exchange.now,
  };
  return requestToken(send, registration, judgement, (configuration) =>
    openid.authorizationCodeGrant(configuration, callback, {
      pkceCodeVerifier: exchange.codeVerifier,
      expectedState: exchange.state,
      ...(verifyIdToken && exchange.nonce !== undefined ? { expectedNonce: exchange.nonce } : {}),
    }),
  );
}

function issuerFromCallback(registration: ClientRegistration, callback: URL): string | undefined {
  const said = callback.searchParams.get('iss');
  if (said === null) return undefined;
  if (originOf(said) === originOf(registration.authorizationUrl ?? registration.tokenUrl))
    return said;
  throw mismatch(registration);
}

function refuseErrorCallback(
  registration: ClientRegistration,
  callback: URL,
  issuer: string | undefined,
): void {
  const said = callback.searchParams.get('iss');
  if (said !== null && issuer !== undefined && said !== issuer) throw mismatch(registration);
  const error = callback.searchParams.get('error');
  if (error === null) return;
  const name = /^[\w.-]{1,64}$/.test(error) ? error : 'an error';
  throw new CodedError(
    'LOGIN_REFUSED',
    `the issuer of ${registration.provider} answered ${name} instead of a login`,
    {
      provider: registration.provider,
      error: name,
    },
  );
}

function mismatch({ provider }: ClientRegistration): CodedError {
  const fix = `if it is the right one, set CREDMON_${provider}_ISSUER to its exact identifier`;
  return new CodedError(
    'ISSUER_MISMATCH',
    `the answer for ${provider} names another issuer; ${fix}`,
    {
      provider,
    },
  );
}

/**
 * Renews with a refresh token. An answer without a new refresh token leaves the old one
 * valid; `salvage` learns of a new one in an answer that is refused for another reason.
 * @throws CodedError as `requestToken`
 * @see RFC 6749, section 6
 */
export function refreshGrant(
  send: Send,
  registration: ClientRegistration,
  refresh: {
    readonly refreshToken: string;
    readonly now: number;
    readonly salvage?: (refreshToken: string) => void;
  },
): Promise<TokenAnswer> {
  // Who the user is was settled at the login; an ID token that comes along must not cost
  // the rotated refresh token.
  const judgement = {
    issuer: registration.issuer,
    verifyIdToken: false,
    secrets: [refresh.refreshToken],
    now: refresh.now,
    ...(refresh.salvage ? { salvage: refresh.salvage } : {}),
  };
  return requestToken(send, registration, judgement, (configuration) =>
    openid.refreshTokenGrant(configuration, refresh.refreshToken),
  );
}

// The grants without a browser: a client's own credentials, the exchange of one token for
// another, and revocation.

/**
 * What a token is to be good for. Empty scopes and lists are left out of the request;
 * `now` in epoch seconds.
 */
export interface TokenWish {
  readonly scope: string;
  readonly audience: readonly string[];
  readonly resources: readonly string[];
  readonly now: number;
}

/**
 * A token for the client itself.
 * @throws CodedError as `requestToken`
 * @see RFC 6749, section 4.4; RFC 8707 (resource)
 */
export function clientCredentialsGrant(
  send: Send,
  registration: ClientRegistration,
  wish: TokenWish,
): Promise<TokenAnswer> {
  const form = formOf(wish);
  // Many issuers know `audience`, and only one with all audiences in it.
  if (wish.audience.length > 0) form.set('audience', wish.audience.join(' '));
  return requestToken(send, registration, judgementOf(registration, wish, []), (configuration) =>
    openid.clientCredentialsGrant(configuration, form),
  );
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/**
 * A token in exchange for an access token of the same issuer.
 * @throws CodedError as `requestToken`; `ISSUER_ANSWER_INVALID` too when what was issued
 * is not an access token
 * @see RFC 8693, section 2
 */
export async function tokenExchangeGrant(
  send: Send,
  registration: ClientRegistration,
  wish: TokenWish & { readonly subjectToken: string },
): Promise<TokenAnswer> {
  const form = formOf(wish);
  form.set('subject_token', wish.subjectToken);
  form.set('subject_token_type', ACCESS_TOKEN);
  for (const audience of wish.audience) form.append('audience', audience);
  const judgement = judgementOf(registration, wish, [wish.subjectToken]);
  const answer = await requestToken(send, registration, judgement, (configuration) =>
    openid.genericGrantRequest(configuration, EXCHANGE, form),
  );
  const type = answer.answer['issued_token_type'] ?? ACCESS_TOKEN;
  if (type === ACCESS_TOKEN || type === JWT) return answer;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `the issuer of ${registration.provider} exchanged the token for something that is not an access token`,
    { provider: registration.provider },
  );
}

/** A token to revoke, and which kind it is. `now` in epoch seconds. */
export interface Revocation {
  readonly token: string;
  readonly hint: 'refresh_token' | 'access_token';
  readonly now: number;
}

/**
 * Revokes a token. Issuers answer alike whether they knew the token or not.
 * @throws CodedError as `requestToken`
 * @see RFC 7009, section 2
 */
export function revokeToken(
  send: Send,
  registration: ClientRegistration,
  revocationUrl: string,
  { token, hint, now }: Revocation,
): Promise<void> {
  return revokeAtIssuer(send, registration, revocationUrl, { token, now }, (configuration) =>
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

function judgementOf(
  { issuer }: ClientRegistration,
  { now }: TokenWish,
  secrets: readonly string[],
): { issuer: string | undefined; verifyIdToken: boolean; secrets: readonly string[]; now: number } {
  return { issuer, verifyIdToken: false, secrets, now };
}
