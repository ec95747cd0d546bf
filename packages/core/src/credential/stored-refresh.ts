// Whether a stored refresh token outlives a login whose answer brought none.
import { type TokenAnswer, scopeText, splitScopes } from './token-response.ts';
import { parseMeta, parseObject, parseTop, type TopContents } from './contents.ts';
import { parseRenewal } from './digest.ts';
import { rotatedTopText } from './from-tokens.ts';
import { isRecord, jwtClaims } from '../base/values/json.ts';

/**
 * The stored files of a token as text. A file that is missing or cannot be read is left
 * out.
 */
export interface StoredTexts {
  readonly top?: string;
  /** Modification time of `.top`, in epoch seconds. */
  readonly topModifiedAt?: number;
  readonly use?: string;
  readonly meta?: string;
  /** The daemon's note of the last failed renewal. */
  readonly renewal?: string;
}

/**
 * What the new login was for: scopes and audience as in the key file, and the client that
 * asked.
 */
export interface LoginRequest {
  readonly scopes: string;
  readonly audience: string;
  readonly clientId: string;
  readonly tokenUrl: string;
}

/**
 * What becomes of the stored refresh token.
 *
 * - `none`: the answer brought a new one, or none is stored.
 * - `keep`: it serves the new request too. `top` is the new text of `.top`, or `undefined` when the stored file is right as it is and
 *   must not be touched, because the daemon may be rotating it. `renewable` repeats what `.meta` says of its use.
 * - `replace`: it cannot serve: it belongs to another client or account, or the issuer has revoked it.
 * - `refuse`: it is good, but for other scopes or another audience. To store the login would destroy it, or make `.top` wrong.
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
  // Without a `.meta` the daemon renews with the configured client, which is the one that
  // CredD wrote into the key file.
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
 * The account of a login, as its ID token names it: for comparing only, since not every
 * ID token is verified.
 */
export function subjectOf({ claims, answer }: TokenAnswer): string | undefined {
  return claims?.sub ?? subjectIn(answer['id_token']);
}

/** True when both logins name an account in the same way, and the accounts differ. */
function isOtherAccount(
  { use }: StoredTexts,
  subject: string | undefined,
  answer: TokenAnswer,
): boolean {
  const object = use === undefined ? undefined : parseObject(use);
  const before = object?.ok ? object.value : {};
  const [old, now] = [subject ?? subjectIn(before['id_token']), subjectOf(answer)];
  if (old !== undefined && now !== undefined) return old !== now;
  const [oldToken, newToken] = [claimsOf(before['access_token']), claimsOf(answer.accessToken)];
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

/** True when the daemon's last try with this very `.top` was refused for good. */
function isRevoked({ renewal, topModifiedAt }: StoredTexts): boolean {
  const state = renewal === undefined ? undefined : parseRenewal(renewal);
  return (
    state?.stopped === true &&
    state.code === 'GRANT_REVOKED' &&
    state.last_attempt >= (topModifiedAt ?? 0)
  );
}

/** Compares as sets; the stored value may be anything that a user has stored. */
function sameWords(stored: unknown, asked: string): boolean {
  const text = stored === undefined ? '' : scopeText(stored);
  if (text === undefined) return false;
  const [one, other] = [splitScopes(text), splitScopes(asked)];
  return one.length === other.length && one.every((word) => other.includes(word));
}

/**
 * CredD compares scopes and audience as text, so the new request's spelling must be
 * stored.
 */
function topFor(top: TopContents, { scopes, audience }: LoginRequest): string | undefined {
  const { scopes: oldScopes, audience: oldAudience, ...rest } = top;
  if ((oldScopes ?? '') === scopes && (oldAudience ?? '') === audience) return undefined;
  const wanted = { ...(scopes === '' ? {} : { scopes }), ...(audience === '' ? {} : { audience }) };
  return rotatedTopText({ ...rest, ...wanted }, top.refresh_token);
}
