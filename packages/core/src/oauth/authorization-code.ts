// The authorization code grant with PKCE: the URL that sends a browser to the issuer, the
// checks of the callback, and the exchange of the code.
import * as openid from 'openid-client';
import { CodedError, originOf, type Send } from '../base/index.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';
import { harmless } from './classify.ts';
import {
  type ClientRegistration,
  configurationOf,
  policyOfClient,
  requestToken,
} from './client.ts';
import { addAudience, namesOf, repeatedForm, withIdentity } from './grants.ts';
import { type IdTokenChecks, type IssuerNames, isIssuer } from './id-token.ts';

/**
 * The parameters of an authorization request. `scope` and `audience` as in the key file;
 * empty ones are left out, and so is a missing code challenge.
 */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly scope: string;
  readonly audience: string;
  readonly state: string;
  readonly nonce?: string | undefined;
  readonly codeChallenge: string | undefined;
}

/**
 * Returns the authorization URL for the browser.
 * @throws CodedError `ENDPOINT_REFUSED`
 * @see RFC 6749, section 4.1.1; RFC 7636 (PKCE, S256); RFC 8707 (resource); OpenID Connect
 * Core 1.0, section 11 (offline_access)
 */
export function authorizationUrl(
  registration: ClientRegistration,
  request: AuthorizationRequest,
): URL {
  const { authorizationParameters, audienceParameter, offlineConsent } =
    policyOfClient(registration);
  const configuration = configurationOf(openid, registration, registration.issuer);
  // A parameter in the configured URL has priority: issuers reject duplicates.
  const { searchParams: given } = new URL(registration.authorizationUrl ?? registration.tokenUrl);
  const parameters = new URLSearchParams(
    Object.entries(authorizationParameters).filter(([name]) => !given.has(name)),
  );
  parameters.set('response_type', 'code');
  parameters.set('redirect_uri', request.redirectUri);
  parameters.set('state', request.state);
  const scope = splitScopes(request.scope).join(' ');
  if (scope !== '') parameters.set('scope', scope);
  // Without it, some issuers ignore the scope and send no refresh token.
  const isOffline = offlineConsent && scope.split(' ').includes('offline_access');
  if (isOffline && !parameters.has('prompt') && !given.has('prompt'))
    parameters.set('prompt', 'consent');
  if (request.nonce !== undefined) parameters.set('nonce', request.nonce);
  if (request.codeChallenge !== undefined) {
    parameters.set('code_challenge', request.codeChallenge);
    parameters.set('code_challenge_method', 'S256');
  }
  addAudience(parameters, audienceParameter, request.audience);
  return openid.buildAuthorizationUrl(configuration, parameters);
}

/**
 * The callback of the browser, and the values of the authorization request. `query` is
 * the callback's query without the leading `?`; `scope` and `audience` are those of the
 * user's request; `now` in epoch seconds.
 */
export interface CodeExchange {
  readonly redirectUri: string;
  readonly query: string;
  readonly state: string;
  readonly nonce?: string | undefined;
  /** The verifier of the code challenge, if one was sent. */
  readonly codeVerifier: string | undefined;
  readonly now: number;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
  /** True if the metadata says that each callback has the parameter `iss`. */
  readonly sendsIssuer?: boolean | undefined;
  /** The issuer's name in its metadata with `{tenantid}` in it. */
  readonly issuerTemplate?: string | undefined;
  /**
   * Returns the issuer's key set; with `renew`, fetches it from the issuer again. If
   * `keys` is missing, no ID token is verified.
   */
  readonly keys?: IdTokenChecks['keys'] | undefined;
}

/**
 * Exchanges an authorization code for tokens. `iss` in the callback must be the
 * configured issuer; if no issuer is configured, it must have the origin of the
 * authorization endpoint. The ID token is verified if an issuer is configured.
 * @throws CodedError as `requestToken` and `verifyIdToken`, and `LOGIN_REFUSED` if the
 * issuer sent an error instead of a code
 * @see RFC 6749, section 4.1.3; RFC 9207; OpenID Connect Core 1.0, section 3.1.3
 */
export async function exchangeCode(
  send: Send,
  registration: ClientRegistration,
  exchange: CodeExchange,
): Promise<TokenAnswer> {
  const callback = new URL(exchange.redirectUri);
  for (const [name, value] of new URLSearchParams(exchange.query))
    callback.searchParams.append(name, value);
  const names = namesOf(registration, exchange.issuerTemplate);
  const issuer = checkedIssuer(registration, callback, names, exchange.sendsIssuer);
  refuseErrorCallback(registration, callback);
  const checks = {
    issuer,
    secrets: [exchange.codeVerifier ?? '', callback.searchParams.get('code') ?? ''],
    redirectUri: exchange.redirectUri,
    now: exchange.now,
  };
  const form = repeatedForm(registration, exchange);
  const issued = await requestToken(send, registration, checks, (openid, configuration) =>
    openid.authorizationCodeGrant(
      configuration,
      callback,
      {
        expectedState: exchange.state,
        ...(exchange.codeVerifier !== undefined && { pkceCodeVerifier: exchange.codeVerifier }),
      },
      form,
    ),
  );
  if (names) return withIdentity(registration, issued, { names, ...exchange });
  const { idTokenFor: _, ...answer } = issued;
  return answer;
}

/**
 * Returns the issuer that openid-client compares with `iss` of the callback. If `iss` is
 * an accepted name of the issuer, it is returned as the callback has it.
 * @throws CodedError `ISSUER_MISMATCH`
 * @see RFC 9207, section 2.4
 */
function checkedIssuer(
  registration: ClientRegistration,
  callback: URL,
  names: IssuerNames | undefined,
  sendsIssuer = false,
): string | undefined {
  const iss = callback.searchParams.get('iss');
  if (!names) return issuerFromCallback(registration, callback);
  if (iss === null) {
    if (sendsIssuer) throw mismatch(registration, 'has no "iss", which its metadata promises');
    return names.issuer;
  }
  if (!isIssuer(names, iss)) throw mismatch(registration);
  return iss;
}

function issuerFromCallback(registration: ClientRegistration, callback: URL): string | undefined {
  const iss = callback.searchParams.get('iss');
  if (iss === null) return undefined;
  if (originOf(iss) === originOf(registration.authorizationUrl ?? registration.tokenUrl))
    return iss;
  throw mismatch(registration);
}

/** Errors of an authorization request that only the administrator can correct. */
const CLIENT_ERRORS = new Set([
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'redirect_uri_mismatch',
  'unauthorized_client',
  'unsupported_response_type',
]);

/**
 * The description is for the developer of the client; it is shown because the callback
 * belongs to a login in progress.
 * @throws CodedError `LOGIN_REFUSED`
 * @see RFC 6749, section 4.1.2.1
 */
function refuseErrorCallback({ provider }: ClientRegistration, callback: URL): void {
  const error = callback.searchParams.get('error');
  if (error === null) return;
  const name = /^[\w.-]{1,64}$/.test(error) ? error : 'an invalid error code';
  const description = harmless(callback.searchParams.get('error_description') ?? '');
  const isAudience = /\b(?:resource|audience)\b/i.test(description);
  const fix = !CLIENT_ERRORS.has(name)
    ? ''
    : isAudience
      ? `; the administrator sets CREDMON_${provider}_AUDIENCE_PARAMETER to what the issuer knows ` +
        '(resource, audience or none), or the profile of the issuer'
      : '; the administrator must correct the client at the issuer, or the requested scopes';
  throw new CodedError(
    'LOGIN_REFUSED',
    `the issuer of ${provider} rejected the login: ${name}` +
      `${description === '' ? '' : ` (${description})`}${fix}`,
    { provider, error: name },
  );
}

function mismatch({ provider }: ClientRegistration, what = 'names another issuer'): CodedError {
  const fix = `if it is correct, set CREDMON_${provider}_ISSUER to its exact identifier`;
  return new CodedError(
    'ISSUER_MISMATCH',
    `issuer mismatch: the response for ${provider} ${what}; ${fix}`,
    { provider },
  );
}
