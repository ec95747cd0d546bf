// Reads the `.top` of a token exchange. Users can write anything into it, so it never
// decides where a secret is sent.
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import { parseObject, splitScopes, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { TokenFiles } from '@credmon/core/store';
import { verify, type KeyFinder } from '@credmon/scitokens';
import type { TokenClient } from '../../settings/clients.ts';

/**
 * The contents of a `.top`. `subjectToken`: stored by the user; `refreshToken`: stored
 * after an exchange.
 */
export interface Subject {
  readonly top: Readonly<Record<string, unknown>>;
  readonly subjectToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** The requested scopes: `scopes` in CredD's files, `scope` in the reference's. */
  readonly scope: string | undefined;
  readonly audience: readonly string[] | undefined;
}

/** Seconds that the issuer's clock may be ahead. */
const LEEWAY = 30;

/**
 * Parses `.top`.
 * @throws CodedError `SUBJECT_REFUSED` when `.top` contains nothing to exchange or to
 * renew with
 */
export function subjectOf(token: TokenSnapshot, files: TokenFiles): Subject {
  const object = files.top.ok ? parseObject(files.top.value) : files.top;
  if (!object.ok) throw subjectError(token, `.top ${object.reason}`);
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
  throw subjectError(token, '.top contains neither access_token nor refresh_token');
}

/**
 * Returns the issuer of a stored token after a check of its signature, times and issuer.
 * @throws CodedError `SUBJECT_REFUSED`, or the error that prevented the check
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
    throw subjectError(token, error.message, error);
  }
}

/**
 * Returns the issuer of a refresh token: the `iss` in `.top` if it is configured, or the
 * only configured issuer.
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
  throw subjectError(token, '.top does not name a configured issuer');
}

/**
 * Returns the text of `.top` after an exchange: the refresh token and its issuer replace
 * the stored token.
 */
export function exchangedTop({ top }: Subject, refreshToken: string, issuer: string): string {
  const kept = Object.entries(top).filter(
    ([name]) =>
      !['access_token', 'subject_token', 'token_url', 'expires_in', 'token_type'].includes(name),
  );
  return `${JSON.stringify({ ...Object.fromEntries(kept), refresh_token: refreshToken, iss: issuer })}\n`;
}

function subjectError(token: TokenSnapshot, why: string, cause?: unknown): CodedError {
  const id = tokenId(token);
  return new CodedError(
    'SUBJECT_REFUSED',
    `${id}: the stored token cannot be used: ${why}`,
    { token: id },
    cause,
  );
}
