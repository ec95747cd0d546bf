// What happens to a stored refresh token after a login without a new one.
import { type TokenAnswer, scopeText, splitScopes } from './token-response.ts';
import { parseMeta, parseObject, parseTop, type TopContents } from './file-contents.ts';
import { accessTokenOf, parseRenewal } from './digest.ts';
import { rotatedTopText } from './from-tokens.ts';
import { isRecord, jwtClaims } from '../base/values/json.ts';

/**
 * The stored files of a token as text, without those that are missing or cannot be read.
 */
export interface StoredTexts {
  readonly top?: string | undefined;
  /** Modification time of `.top`, in epoch seconds. */
  readonly topModifiedAt?: number | undefined;
  readonly use?: string | undefined;
  readonly meta?: string | undefined;
  /** `.S.renewal`, the last failed renewal. */
  readonly renewal?: string | undefined;
}

/**
 * The request of the new login: scopes and audience as in the key file, and the client.
 */
export interface LoginRequest {
  readonly scopes: string;
  readonly audience: string;
  readonly clientId: string;
  readonly tokenUrl: string;
}

/**
 * The fate of the stored refresh token.
 *
 * - `none`: the response contains a new one, or none is stored.
 * - `keep`: it is valid for the new request. `top` is the new text of `.top`, or
 *   `undefined` if the stored file must not be touched because it is correct and the daemon
 *   may be rotating it. `renewable` repeats `use_refresh_token` of `.meta`.
 * - `replace`: it belongs to another client or account, or the issuer has revoked it.
 * - `refuse`: it is valid, but for other scopes or another audience. Storing the login
 *   would destroy it or make `.top` wrong.
 */
export type StoredRefresh =
  | { readonly kind: 'none' }
  | { readonly kind: 'refuse' }
  | {
      readonly kind: 'keep';
      readonly refreshToken: string;
      readonly top: string | undefined;
      readonly renewable: boolean;
    }
  | { readonly kind: 'replace'; readonly why: 'client' | 'account' | 'revoked' };

/**
 * Decides what a login does to the stored refresh token.
 * @see RFC 6749, section 5.1 (the refresh token of an answer is optional)
 */
export function judgeStoredRefresh(
  stored: StoredTexts,
  request: LoginRequest,
  answer: TokenAnswer,
): StoredRefresh {
  const top = stored.top === undefined ? undefined : parseTop(stored.top);
  if (answer.refreshToken !== undefined || !top?.ok || top.value.refresh_token === '')
    return { kind: 'none' };
  const { refresh_token: refreshToken } = top.value;
  const meta = stored.meta === undefined ? undefined : parseMeta(stored.meta);
  // Without `.meta` the daemon renews with the configured client, which CredD wrote into
  // the key file.
  const client = meta?.ok ? meta.value : undefined;
  if (client && (client.client_id !== request.clientId || client.token_url !== request.tokenUrl))
    return { kind: 'replace', why: 'client' };
  if (isOtherAccount(stored, client?.subject, answer)) return { kind: 'replace', why: 'account' };
  if (isRevoked(stored)) return { kind: 'replace', why: 'revoked' };
  if (
    !sameWords(top.value.scopes, request.scopes) ||
    !sameWords(top.value.audience, request.audience)
  )
    return { kind: 'refuse' };
  return {
    kind: 'keep',
    refreshToken,
    top: topFor(top.value, request),
    renewable: client?.use_refresh_token !== false,
  };
}

/**
 * Returns the account in the ID token of a login. Only for comparison: not every ID token
 * is verified.
 */
export function subjectOf({ claims, answer }: TokenAnswer): string | undefined {
  return claims?.sub ?? subjectIn(answer['id_token']);
}

/** True when both logins have comparable accounts and the accounts differ. */
function isOtherAccount(
  { use }: StoredTexts,
  subject: string | undefined,
  answer: TokenAnswer,
): boolean {
  const object = use === undefined ? undefined : parseObject(use);
  const before = object?.ok ? object.value : {};
  const oldAccess = use === undefined ? undefined : accessTokenOf(use);
  const [old, now] = [subject ?? subjectIn(before['id_token']), subjectOf(answer)];
  if (old !== undefined && now !== undefined) return old !== now;
  const [oldToken, newToken] = [claimsOf(oldAccess), claimsOf(answer.accessToken)];
  if (oldToken['iss'] !== newToken['iss']) return false;
  const [oldSubject, newSubject] = [oldToken['sub'], newToken['sub']];
  return (
    typeof oldSubject === 'string' && typeof newSubject === 'string' && oldSubject !== newSubject
  );
}

function subjectIn(idToken: unknown): string | undefined {
  const { sub } = claimsOf(idToken);
  return typeof sub === 'string' && sub !== '' ? sub : undefined;
}

function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  const claims = typeof token === 'string' ? jwtClaims(token) : undefined;
  return isRecord(claims) ? claims : {};
}

/** True when the issuer rejected this version of `.top` at the last renewal. */
function isRevoked({ renewal, topModifiedAt }: StoredTexts): boolean {
  const state = renewal === undefined ? undefined : parseRenewal(renewal);
  return (
    state?.stopped === true &&
    state.code === 'GRANT_REVOKED' &&
    state.last_attempt >= (topModifiedAt ?? 0)
  );
}

/** Compares as sets; `stored` may be any value. */
function sameWords(stored: unknown, asked: string): boolean {
  const text = stored === undefined ? '' : scopeText(stored);
  if (text === undefined) return false;
  const [one, other] = [splitScopes(text), splitScopes(asked)];
  return one.length === other.length && one.every((word) => other.includes(word));
}

/**
 * CredD compares scopes and audience as text, so the spelling of the new request must be
 * stored.
 */
function topFor(top: TopContents, { scopes, audience }: LoginRequest): string | undefined {
  const { scopes: oldScopes, audience: oldAudience, ...rest } = top;
  if ((oldScopes ?? '') === scopes && (oldAudience ?? '') === audience) return undefined;
  const wanted = {
    scopes: scopes === '' ? undefined : scopes,
    audience: audience === '' ? undefined : audience,
  };
  return rotatedTopText({ ...rest, ...wanted }, top.refresh_token);
}
