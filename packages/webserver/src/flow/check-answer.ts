// Checks before anything is stored: the user and the scopes of a token response, and names
// that match two providers.
import { type Settings, providerSettings } from '../settings/settings.ts';
import { CodedError } from '@credmon/core/base';
import {
  type ProviderRequest,
  type TokenAnswer,
  noHandles,
  refusedName,
  refusedProvider,
} from '@credmon/core/credential';
import { compareGrant, widerText } from '@credmon/core/profiles';

/** The size of the text of missing scopes in an event, in bytes. */
const MAX_MISSING_TEXT = 500;

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

/**
 * Returns why a sign-in for this token is not possible; `undefined` if it is possible.
 */
export function nameRefusal(
  { names }: Pick<Settings, 'names'>,
  { provider, handle, stem }: Pick<ProviderRequest, 'provider' | 'handle' | 'stem'>,
): string | undefined {
  if (names === undefined) return undefined;
  if (names.specialNames && handle !== '') return noHandles(provider, handle);
  return refusedName(stem, names) ?? refusedProvider(provider, names);
}

/**
 * Rejects a token with an ambiguous name.
 * @throws CodedError `PROVIDER_REFUSED` with the reason of {@link nameRefusal}
 */
export function checkName(settings: Pick<Settings, 'names'>, request: ProviderRequest): void {
  const refusal = nameRefusal(settings, request);
  if (refusal !== undefined)
    throw new CodedError('PROVIDER_REFUSED', refusal, { provider: request.provider });
}
