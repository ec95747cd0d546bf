// Checks a token response before anything is stored: the user and the scopes.
import type { ProviderRequest, TokenAnswer } from '@credmon/core/credential';
import { compareGrant, widerText } from '@credmon/core/profiles';
import { CodedError } from '@credmon/core/base';
import { providerSettings, type Settings } from '../settings/settings.ts';
import { MAX_MISSING_TEXT } from './limits.ts';

/**
 * Rejects tokens of another user, if the administrator configured a claim, and tokens
 * with more scopes than requested.
 * @throws CodedError `LOGIN_WRONG_USER`, `SCOPE_WIDENED`
 */
export function checkAnswer(
  settings: Settings,
  localUser: string,
  request: ProviderRequest,
  answer: TokenAnswer,
): void {
  const { provider } = request;
  const { userClaim, policy } = providerSettings(settings, provider);
  if (userClaim !== undefined && answer.claims?.[userClaim] !== localUser) {
    const what =
      answer.claims === undefined
        ? 'sent no ID token that could be verified'
        : `sent another value of the claim "${userClaim}"`;
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `wrong user: expected ${localUser} at ${provider}, but the issuer ${what}`,
      {
        provider,
      },
    );
  }
  const { refused } = compareGrant(policy.scopes, request.scopes, answer.scope);
  if (refused.length > 0)
    throw new CodedError('SCOPE_WIDENED', widerText(provider, provider, policy.scopes, refused), {
      provider,
      count: refused.length,
    });
}

/**
 * Returns the requested scopes that the issuer did not grant. Of a long list, only the
 * first ones and the number of the others.
 */
export function missingScopes(
  settings: Settings,
  request: ProviderRequest,
  answer: TokenAnswer,
): readonly string[] {
  const { scopes } = providerSettings(settings, request.provider).policy;
  const { narrower } = compareGrant(scopes, request.scopes, answer.scope);
  let length = 0;
  const shown = narrower.filter((scope) => (length += scope.length) <= MAX_MISSING_TEXT);
  const more = narrower.length - shown.length;
  return more === 0 ? narrower : [...shown, `and ${more} more`];
}

/**
 * True if neither the proxy nor a claim identifies the user. The user must then confirm
 * before anything is stored.
 */
export function asksUser(settings: Settings, provider: string): boolean {
  return (
    settings.remoteUser === undefined &&
    providerSettings(settings, provider).userClaim === undefined
  );
}
