// A token response that has been judged: what the rest of the project gets to see of an
// issuer's answer.
import { CodedError } from '../base/errors/errors.ts';
import { MAX_REFRESH_TOKEN } from './contents.ts';
import { jobReadable } from './job-readable.ts';
import { MASK, SHORT_SECRET } from './secret-text.ts';

/** Claims of a verified ID token that the project looks at. */
export interface IdentityClaims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

/**
 * An accepted token response. `answer` is the issuer's whole JSON object without refresh
 * tokens at any depth; `claims` only of a verified ID token; in `scope`, which errors and
 * notes quote, `[...]` stands for each word that holds a secret.
 * @see RFC 6749, section 5.1
 */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly scope?: string;
  readonly claims?: IdentityClaims;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** HTCondor refuses a token of 16 KB or more. */
export const MAX_ACCESS_TOKEN_BYTES: number = 16_384;

/**
 * Judges the JSON object of a successful token response; `secrets` are the texts that
 * were sent.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when the access token is missing, empty,
 * wrong-typed, too long or holds control characters, or the refresh token is not a text or
 * too long.
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
    throw invalid(provider, 'it holds no access_token');
  if (accessToken.length >= MAX_ACCESS_TOKEN_BYTES)
    throw invalid(provider, 'its access token is 16 KB or more, which HTCondor refuses');
  if (!/^[!-~]+$/.test(accessToken))
    throw invalid(provider, 'its access token holds blanks, control characters or non-ASCII');
  if (refreshToken !== undefined && refreshToken !== null && typeof refreshToken !== 'string') {
    throw invalid(provider, 'its refresh_token is not text');
  }
  if (typeof refreshToken === 'string' && refreshToken.length > MAX_REFRESH_TOKEN)
    throw invalid(provider, 'its refresh token has more than 16 KiB');
  return {
    accessToken,
    ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}),
    ...(scope === undefined
      ? {}
      : { scope: scopeWithout([...secrets, accessToken, refreshToken], scope) }),
    answer: jobReadable(answer, {
      secrets: [...secrets, ...(typeof refreshToken === 'string' ? [refreshToken] : [])],
      idToken: true,
    }),
  };
}

/**
 * A refresh token in an answer that may be refused for another reason, if it is one by
 * its looks.
 */
export function refreshTokenToSave(
  json: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const token = json?.['refresh_token'];
  if (typeof token !== 'string' || token.length > MAX_REFRESH_TOKEN) return undefined;
  return /^[!-~]+$/.test(token) ? token : undefined;
}

function scopeWithout(secrets: readonly unknown[], scope: string): string {
  const known = secrets.filter(
    (secret): secret is string => typeof secret === 'string' && secret !== '',
  );
  const holds = (word: string): boolean =>
    known.some(
      (secret) => word === secret || (secret.length >= SHORT_SECRET && word.includes(secret)),
    );
  if (!splitScopes(scope).some(holds)) return scope;
  return splitScopes(scope)
    .map((word) => (holds(word) ? MASK : word))
    .join(' ');
}

/**
 * Granted scopes as one text, also where an issuer sends them as a list; `undefined` for
 * anything else.
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

// Compares the scopes that were asked for with those that an issuer granted.

/** Scopes as a list: HTCondor separates them with commas, OAuth with blanks. */
export function splitScopes(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
}

/**
 * The granted scopes that nobody asked for (`wider`) and the asked ones that were not
 * granted (`narrower`). An issuer that names no scope granted exactly what was asked;
 * nobody who asked for nothing in particular can get too much.
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
