// Token responses after validation: all that the rest of the project sees of a response.
import { CodedError } from '../base/errors/errors.ts';
import { MAX_REFRESH_TOKEN } from './contents.ts';
import { jobReadable } from './job-readable.ts';
import { MASK, SHORT_SECRET } from './secret-text.ts';

/** The used claims of a verified ID token. */
export interface IdentityClaims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/**
 * An accepted token response. `answer` is the whole JSON object without refresh tokens at
 * any depth. `claims` are only those of a verified ID token. In `scope`, which errors and
 * messages quote, `[...]` replaces each word with a secret.
 * @see RFC 6749, section 5.1
 */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly scope?: string | undefined;
  readonly claims?: IdentityClaims;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** HTCondor rejects tokens of 16 KB or more. */
export const MAX_ACCESS_TOKEN_BYTES: number = 16_384;

/**
 * Validates the JSON object of a successful token response; `secrets` are the secrets
 * that were sent.
 * @throws CodedError `ISSUER_ANSWER_INVALID` if the access token is missing, empty, of
 * the wrong type, too long or has control characters, or if the refresh token is not a
 * string or too long
 */
export function judgeTokenResponse(
  json: Readonly<Record<string, unknown>>,
  provider: string,
  secrets: readonly string[] = [],
): TokenAnswer {
  const { refresh_token: refreshToken, ...answer } = json;
  const { access_token: accessToken } = answer;
  const scope = scopeText(answer['scope']);
  if (typeof accessToken !== 'string' || accessToken === '')
    throw invalid(provider, 'no access_token');
  if (accessToken.length >= MAX_ACCESS_TOKEN_BYTES)
    throw invalid(provider, 'access token of 16 KB or more (HTCondor rejects it)');
  if (!/^[!-~]+$/.test(accessToken))
    throw invalid(
      provider,
      'access token contains blanks, control characters or non-ASCII characters',
    );
  if (refreshToken !== undefined && refreshToken !== null && typeof refreshToken !== 'string') {
    throw invalid(provider, 'refresh_token is not a string');
  }
  if (typeof refreshToken === 'string' && refreshToken.length > MAX_REFRESH_TOKEN)
    throw invalid(provider, 'refresh token longer than 16 KiB');
  return {
    accessToken,
    refreshToken:
      typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : undefined,
    scope:
      scope === undefined
        ? undefined
        : scopeWithout([...secrets, accessToken, refreshToken], scope),
    answer: jobReadable(answer, {
      secrets: [...secrets, ...(typeof refreshToken === 'string' ? [refreshToken] : [])],
      idToken: true,
    }),
  };
}

/**
 * Returns a plausible refresh token from a response that may be rejected for another
 * reason.
 */
export function refreshTokenToSave(
  json: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const token = json?.['refresh_token'];
  if (typeof token !== 'string' || token.length > MAX_REFRESH_TOKEN) return undefined;
  return /^[!-~]+$/.test(token) ? token : undefined;
}

/**
 * Masks the words that contain a secret. A short secret may also be the name of a scope,
 * and a masked name would look like another scope: short ones are not searched for.
 */
function scopeWithout(secrets: readonly unknown[], scope: string): string {
  const known = secrets.filter(
    (secret): secret is string => typeof secret === 'string' && secret.length >= SHORT_SECRET,
  );
  const holds = (word: string): boolean => known.some((secret) => word.includes(secret));
  if (!splitScopes(scope).some(holds)) return scope;
  return splitScopes(scope)
    .map((word) => (holds(word) ? MASK : word))
    .join(' ');
}

/**
 * Returns granted scopes as one text, also if the issuer sends a list; `undefined` for
 * other types.
 */
export function scopeText(scope: unknown): string | undefined {
  if (typeof scope === 'string') return scope;
  return Array.isArray(scope) && scope.every((each) => typeof each === 'string')
    ? scope.join(' ')
    : undefined;
}

function invalid(provider: string, what: string): CodedError {
  return new CodedError(
    'ISSUER_ANSWER_INVALID',
    `invalid token response for ${provider}: ${what}`,
    {
      provider,
    },
  );
}

// Comparison of requested and granted scopes.

/** Splits scopes into a list: HTCondor separates them with commas, OAuth with blanks. */
export function splitScopes(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
}

/**
 * Returns the granted scopes that were not requested (`wider`) and the requested ones
 * that were not granted (`narrower`). A response without scope grants exactly the
 * requested scopes; without requested scopes, nothing is wider.
 * @see RFC 6749, section 3.3
 */
export function compareScopes(
  asked: string,
  granted: string | undefined,
): { wider: string[]; narrower: string[] } {
  if (granted === undefined) return { wider: [], narrower: [] };
  const wanted = splitScopes(asked);
  const given = splitScopes(granted);
  return {
    wider: wanted.length === 0 ? [] : given.filter((scope) => !wanted.includes(scope)),
    narrower: wanted.filter((scope) => !given.includes(scope)),
  };
}
