// The OAuth grants of the token endpoint that need no browser, and the claims of the ID
// token in a token response.
import { CodedError, originOf, type Send } from '../base/index.ts';
import { policyOfClient, requestToken, type ClientRegistration, revokeAtIssuer } from './client.ts';
import { verifyIdToken, type IdTokenChecks, type IssuerNames } from './id-token.ts';
import { type TokenAnswer, splitScopes } from '../credential/token-response.ts';
import type { AudienceParameter } from '../profiles/profile.ts';

/**
 * How the ID token of a login is verified. `now` in epoch seconds; `keys` returns the
 * issuer's key set; with `renew`, it fetches the key set from the issuer again.
 */
interface IdentityChecks {
  readonly names: IssuerNames;
  readonly nonce?: string | undefined;
  readonly now: number;
  readonly keys?: IdTokenChecks['keys'] | undefined;
}

/** Returns the answer with the claims of its verified ID token. */
export async function withIdentity(
  { provider, clientId }: ClientRegistration,
  { idTokenFor, ...answer }: TokenAnswer,
  login: IdentityChecks,
): Promise<TokenAnswer> {
  const { nonce, now, keys, names } = login;
  const idToken = answer.answer['id_token'] ?? undefined;
  if (idToken === undefined) {
    if (nonce === undefined) return answer;
    throw new CodedError(
      'ISSUER_ANSWER_INVALID',
      `the issuer of ${provider} sent no ID token, although the scope openid was requested`,
      { provider },
    );
  }
  if (!keys)
    throw new CodedError(
      'ISSUER_METADATA_INVALID',
      `the ID token for ${provider} cannot be verified: the metadata of ${names.issuer} has ` +
        `no jwks_uri; set CREDMON_${provider}_JWKS_URL`,
      { where: originOf(names.issuer) },
    );
  const accessToken = idTokenFor ?? answer.accessToken;
  const checks = { provider, names, clientId, nonce, accessToken, now, keys };
  return { ...answer, claims: await verifyIdToken(idToken, checks) };
}

/** The names of the configured issuer; `undefined` if none is configured. */
export function namesOf(
  registration: ClientRegistration,
  template?: string,
): IssuerNames | undefined {
  const { issuer } = registration;
  const { issuerAliases } = policyOfClient(registration);
  return issuer === undefined ? undefined : { issuer, aliases: issuerAliases, template };
}

/** What is repeated at the token endpoint, and the further parameters of the provider. */
export function repeatedForm(
  registration: ClientRegistration,
  {
    scope = '',
    audience = '',
  }: { readonly scope?: string | undefined; readonly audience?: string | undefined },
): URLSearchParams {
  const policy = policyOfClient(registration);
  const form = new URLSearchParams(policy.tokenParameters);
  const scopes = splitScopes(scope).join(' ');
  if (policy.refreshParameters.includes('scope') && scopes !== '') form.set('scope', scopes);
  if (policy.refreshParameters.includes('audience'))
    addAudience(form, policy.audienceParameter, audience);
  return form;
}

/**
 * Adds the audience of the user's request: as one `audience`, or as a `resource` for each.
 * @see RFC 8707, section 2
 */
export function addAudience(
  form: URLSearchParams,
  parameter: AudienceParameter,
  audience: string,
): void {
  const names = splitScopes(audience);
  if (names.length === 0 || parameter === 'none') return;
  if (parameter === 'audience') form.set('audience', names.join(' '));
  else for (const name of names) form.append('resource', name);
}

/**
 * Renews with a refresh token. `scope` and `audience` are those of the user's request; the
 * policy decides whether they are repeated. If the response has no new refresh token, the
 * old one stays valid. `salvage` is called with a new one in a rejected response.
 * @throws CodedError as `requestToken`
 * @see RFC 6749, section 6
 */
export function refreshGrant(
  send: Send,
  registration: ClientRegistration,
  refresh: {
    readonly refreshToken: string;
    readonly scope?: string | undefined;
    readonly audience?: string | undefined;
    readonly now: number;
    readonly salvage?: ((refreshToken: string) => void) | undefined;
  },
): Promise<TokenAnswer> {
  const checks = {
    issuer: registration.issuer,
    grant: 'refresh',
    secrets: [refresh.refreshToken],
    now: refresh.now,
    salvage: refresh.salvage,
  } as const;
  const form = repeatedForm(registration, refresh);
  return requestToken(send, registration, checks, (openid, configuration) =>
    openid.refreshTokenGrant(configuration, refresh.refreshToken, form),
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
  const form = formOf(registration, request);
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
  const form = formOf(registration, request);
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

function formOf(
  registration: ClientRegistration,
  { scope, resources }: TokenWish,
): URLSearchParams {
  const form = new URLSearchParams(policyOfClient(registration).tokenParameters);
  const scopes = splitScopes(scope).join(' ');
  if (scopes !== '') form.set('scope', scopes);
  for (const resource of resources) form.append('resource', resource);
  return form;
}

function checksOf(
  { issuer }: ClientRegistration,
  { now }: TokenWish,
  secrets: readonly string[],
): { issuer: string | undefined; secrets: readonly string[]; now: number } {
  return { issuer, secrets, now };
}
