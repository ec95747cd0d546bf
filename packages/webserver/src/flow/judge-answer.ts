// Judges the tokens of a login before anything is stored: right person, no wider scopes.
import { compareScopes, type ProviderRequest, type TokenAnswer } from '@credmon/core/credential';
import { CodedError } from '@credmon/core/base';
import { providerSettings, type Settings } from '../settings/settings.ts';
import { MAX_MISSING_TEXT } from './limits.ts';

/**
 * Refuses tokens of somebody else, where the administrator named a claim, and tokens that
 * can do more than was asked for.
 * @throws CodedError `LOGIN_WRONG_USER`, `SCOPE_WIDENED`
 */
export function checkAnswer(
  settings: Settings,
  localUser: string,
  request: ProviderRequest,
  answer: TokenAnswer,
): void {
  const { provider } = request;
  const { userClaim, extraScopes } = providerSettings(settings, provider);
  if (userClaim !== undefined && answer.claims?.[userClaim] !== localUser) {
    const what =
      answer.claims === undefined
        ? 'sent no ID token that could be verified'
        : `says otherwise in "${userClaim}"`;
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the login at ${provider} must be that of ${localUser}, but the issuer ${what}`,
      {
        provider,
      },
    );
  }
  const wider = compareScopes(request.scopes, answer.scope).wider.filter(
    (scope) => !extraScopes.includes(scope),
  );
  if (wider.length > 0)
    throw new CodedError(
      'SCOPE_WIDENED',
      `${provider} granted more than was asked for (${wider.length} scopes); if that is right, name them in CREDMON_${provider}_EXTRA_SCOPES`,
      { provider, count: wider.length },
    );
}

/**
 * The asked scopes that the issuer did not grant, for people to read: of very many, the
 * first ones and how many more.
 */
export function missingScopes(request: ProviderRequest, answer: TokenAnswer): readonly string[] {
  const { narrower } = compareScopes(request.scopes, answer.scope);
  let length = 0;
  const shown = narrower.filter((scope) => (length += scope.length) <= MAX_MISSING_TEXT);
  const more = narrower.length - shown.length;
  return more === 0 ? narrower : [...shown, `and ${more} more`];
}

/**
 * True when neither the proxy nor a claim says who the user is: then the user is asked
 * before anything is stored.
 */
export function asksUser(settings: Settings, provider: string): boolean {
  return (
    settings.remoteUser === undefined &&
    providerSettings(settings, provider).userClaim === undefined
  );
}
