// The grants without a browser: a client's own credentials, the exchange of one token for
// another, and revocation.
import * as openid from 'openid-client';
import { CodedError, type Send } from '../base/index.ts';
import { requestToken, revokeAtIssuer, type ClientRegistration } from './client.ts';
import type { TokenAnswer } from '../credential/token-response.ts';
import { splitScopes } from '../credential/scopes.ts';

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
