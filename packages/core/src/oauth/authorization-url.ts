// The authorization request: the URL that sends a browser to the issuer.
import * as openid from 'openid-client';
import { configurationOf, policyOfClient, type ClientRegistration } from './client.ts';
import { addAudience } from './grants.ts';
import { splitScopes } from '../credential/token-response.ts';

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
  // A parameter in the configured URL wins: issuers refuse the same one twice.
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
