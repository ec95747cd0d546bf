// The authorization request: the URL that sends a browser to the issuer.
import * as openid from 'openid-client';
import { configurationOf, type ClientRegistration } from './client.ts';
import { splitScopes } from '../credential/token-response.ts';

/**
 * The parameters of an authorization request. `scope` and `resource` as in the key file;
 * empty ones are left out.
 */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly scope: string;
  readonly resource: string;
  readonly state: string;
  readonly nonce?: string | undefined;
  readonly codeChallenge: string;
}

/**
 * Returns the authorization URL for the browser.
 * @throws CodedError `ENDPOINT_REFUSED`
 * @see RFC 6749, section 4.1.1; RFC 7636 (PKCE, S256); RFC 8707 (resource)
 */
export function authorizationUrl(
  registration: ClientRegistration,
  request: AuthorizationRequest,
): URL {
  const scope = splitScopes(request.scope).join(' ');
  return openid.buildAuthorizationUrl(configurationOf(openid, registration, registration.issuer), {
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
