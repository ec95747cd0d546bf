// What a `.top` of the token exchange asks for. Any user can write any bytes into it, so
// nothing in it names where a secret goes.
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import { parseObject, splitScopes, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { TokenFiles } from '@credmon/core/store';
import { verify, type KeyFinder } from '@credmon/scitokens';
import type { TokenClient } from '../../settings/clients.ts';

/**
 * A `.top` as it is understood. `subjectToken` is what the user stored, `refreshToken`
 * what an exchange left.
 */
export interface Subject {
  readonly top: Readonly<Record<string, unknown>>;
  readonly subjectToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The scopes asked for: CredD's key is `scopes`, the reference's `scope`. */
  readonly scope: string | undefined;
  readonly audience: readonly string[] | undefined;
}

/** Seconds that the issuer's clock may be ahead. */
const LEEWAY = 30;

/**
 * @throws CodedError `SUBJECT_REFUSED` when there is nothing in `.top` to exchange or to
 * renew with
 */
export function subjectOf(token: TokenSnapshot, files: TokenFiles): Subject {
  const object = files.top.ok ? parseObject(files.top.value) : files.top;
  if (!object.ok) throw refused(token, `.top ${object.reason}`);
  const top = object.value;
  const text = (...names: string[]): string | undefined => {
    const value = names
      .map((name) => top[name])
      .find((found) => typeof found === 'string' && found !== '');
    return typeof value === 'string' ? value : undefined;
  };
  const audience = text('audience');
  const subject: Subject = {
    top,
    subjectToken: text('subject_token', 'access_token'),
    refreshToken: text('refresh_token'),
    scope: text('scopes', 'scope'),
    audience: audience === undefined ? undefined : splitScopes(audience),
  };
  if (subject.subjectToken !== undefined || subject.refreshToken !== undefined) return subject;
  throw refused(token, '.top holds neither access_token nor refresh_token');
}

/**
 * The issuer of a stored token, once its signature, times and issuer have been found
 * good.
 * @throws CodedError `SUBJECT_REFUSED`, or what kept it from being found out
 * @see RFC 8725
 */
export async function verifiedIssuer(
  token: TokenSnapshot,
  subjectToken: string,
  { issuers }: TokenClient,
  keys: KeyFinder,
  now: number,
): Promise<string> {
  try {
    return (await verify(subjectToken, { keys, issuers, now, leeway: LEEWAY })).claims.iss;
  } catch (error) {
    if (
      !isCoded(error) ||
      !error.code.startsWith('TOKEN_') ||
      ERROR_CODES[error.code].actor === 'time'
    )
      throw error;
    throw refused(token, error.message, error);
  }
}

/**
 * The issuer that gave a refresh token: the `iss` that the exchange wrote beside it, if
 * it is a configured one, else the only one.
 * @throws CodedError `SUBJECT_REFUSED`
 */
export function issuerOfRefresh(
  token: TokenSnapshot,
  { top }: Subject,
  { issuers }: TokenClient,
): string {
  const { iss } = top;
  const issuer =
    iss === undefined && issuers.length === 1 ? issuers[0] : issuers.find((one) => one === iss);
  if (issuer !== undefined) return issuer;
  throw refused(token, '.top names no issuer that is configured');
}

/**
 * The text of `.top` after an exchange: the refresh token and its issuer take the place
 * of the token that was stored.
 */
export function exchangedTop({ top }: Subject, refreshToken: string, issuer: string): string {
  const kept = Object.entries(top).filter(
    ([name]) =>
      !['access_token', 'subject_token', 'token_url', 'expires_in', 'token_type'].includes(name),
  );
  return `${JSON.stringify({ ...Object.fromEntries(kept), refresh_token: refreshToken, iss: issuer })}\n`;
}

function refused(token: TokenSnapshot, why: string, cause?: unknown): CodedError {
  const id = tokenId(token);
  return new CodedError(
    'SUBJECT_REFUSED',
    `${id}: the stored token cannot be used: ${why}`,
    { token: id },
    cause,
  );
}
