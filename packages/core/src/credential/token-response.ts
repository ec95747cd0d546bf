// Token responses after validation: all that the rest of the project sees of a response.
import { CodedError } from '../base/errors/errors.ts';
import { isRecord } from '../base/values/json.ts';
import { MAX_REFRESH_TOKEN } from './file-contents.ts';
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
 * messages quote, `[...]` replaces each word with a secret. `idTokenFor` is the access
 * token whose hash is in the ID token, if it is not the chosen one of several tokens.
 * @see RFC 6749, section 5.1
 */
export interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly scope?: string | undefined;
  readonly claims?: IdentityClaims;
  readonly idTokenFor?: string;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** More scopes than any real answer has: each is compared with each requested one. */
const MAX_SCOPES = 1000;

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
  resourceServer?: string,
): TokenAnswer {
  const chosen = selectToken(json, resourceServer, provider);
  const { refresh_token: refreshToken, ...answer } = chosen;
  const { access_token: accessToken } = answer;
  const scope = grantedScope(json);
  if (typeof accessToken !== 'string' || accessToken === '')
    throw invalid(provider, 'no access_token');
  if (accessToken.length >= MAX_ACCESS_TOKEN_BYTES)
    throw invalid(provider, 'access token of 16 KB or more (HTCondor rejects it)');
  checkTokenType(answer['token_type'], provider);
  if (scope !== undefined && splitScopes(scope).length > MAX_SCOPES)
    throw invalid(provider, `more than ${MAX_SCOPES} scopes`);
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
  const first = json['access_token'];
  return {
    accessToken,
    ...(typeof first === 'string' && first !== accessToken ? { idTokenFor: first } : {}),
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
 * A job sends its token as a bearer token: one that is bound to a key is useless to it.
 * `N_A` is the type of a token exchange whose token is no access token.
 * @see RFC 6750, section 2; RFC 9449, section 5; RFC 8693, section 2.2.1
 */
function checkTokenType(type: unknown, provider: string): void {
  if (typeof type !== 'string' || /^(?:bearer|n_a)?$/i.test(type)) return;
  const shown = /^[\w.-]{1,20}$/.test(type) ? type : 'unknown';
  throw invalid(provider, `token type ${shown}; jobs can only use bearer tokens`);
}

/**
 * Returns the scopes of all tokens of an answer; `undefined` if none of them has any.
 * @see Globus Auth API reference, `other_tokens`
 */
function grantedScope(answer: Readonly<Record<string, unknown>>): string | undefined {
  const scopes = [answer, ...otherTokens(answer)].map((token) => scopeText(token['scope']));
  const named = scopes.filter((scope) => scope !== undefined);
  return named.length === 0 ? undefined : named.join(' ').trim();
}

function otherTokens(
  answer: Readonly<Record<string, unknown>>,
): readonly Readonly<Record<string, unknown>>[] {
  const others = answer['other_tokens'];
  return Array.isArray(others) ? others.filter(isRecord) : [];
}

/**
 * Returns the token of one resource server from an answer with several tokens; the whole
 * answer if no server is wanted, `undefined` if it has no token of that server.
 */
export function tokenOfServer(
  json: Readonly<Record<string, unknown>>,
  resourceServer: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (resourceServer === undefined) return json;
  return [json, ...otherTokens(json)].find((token) => token['resource_server'] === resourceServer);
}

/** @throws CodedError `ISSUER_ANSWER_INVALID` if the answer has no token of that server */
function selectToken(
  json: Readonly<Record<string, unknown>>,
  resourceServer: string | undefined,
  provider: string,
): Readonly<Record<string, unknown>> {
  if (json['access_token'] === undefined) return json;
  const found = tokenOfServer(json, resourceServer);
  if (!found) throw invalid(provider, `no token of the resource server ${resourceServer}`);
  const { id_token: idToken } = json;
  return found === json || idToken === undefined ? found : { ...found, id_token: idToken };
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

/** Splits scopes into a list: HTCondor separates them with commas, OAuth with blanks. */
export function splitScopes(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((scope) => scope !== ''))];
}

/**
 * Compares scopes as texts: returns the granted ones that were not requested (`wider`) and
 * the requested ones that were not granted (`narrower`). A response without scope grants
 * exactly the requested scopes; without requested scopes, nothing is wider.
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
