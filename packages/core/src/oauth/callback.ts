// Checks of the callback: the issuer in it, and an error in place of a code.
import { CodedError, originOf } from '../base/index.ts';
import { harmless } from './classify.ts';
import type { ClientRegistration } from './client.ts';
import { isIssuer, type IssuerNames } from './id-token.ts';

/**
 * Returns the issuer that openid-client compares with the callback's: an accepted name is
 * returned as it is written there.
 * @throws CodedError `ISSUER_MISMATCH`
 * @see RFC 9207, section 2.4
 */
export function checkedIssuer(
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
export function refuseErrorCallback({ provider }: ClientRegistration, callback: URL): void {
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
