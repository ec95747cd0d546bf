// A user's request for one token, and its result: files in the run directory. Pure.
import { isRecord } from '@credmon/core/base';
import type { IssuedToken, TokenWish } from '../issuance/request.ts';
import type { RenewalRequest } from './request.ts';

/** Who asked: the owner of the request file; `id` is the unpredictable part of its name. */
export type Asker = Pick<RenewalRequest, 'id' | 'uid' | 'gid'>;

/** A request for a token. */
export interface TokenRequest extends Asker {
  readonly wish: TokenWish;
  /** Where the command writes the token, for the log. */
  readonly to: string;
}

/** Returns the content of a request. */
export function tokenRequestText(wish: TokenWish, to: string): string {
  return `${JSON.stringify({ token: { ...wish, to } })}\n`;
}

/**
 * Parses the content of a request; `undefined` for anything else. The values are not
 * checked.
 */
export function parseTokenRequest(text: string): Pick<TokenRequest, 'wish' | 'to'> | undefined {
  const { token, ...rest } = objectIn(text) ?? {};
  if (!isRecord(token) || Object.keys(rest).length > 0) return undefined;
  const { provider, subject, audience, scopes, lifetime, to, ...more } = token;
  const isWish =
    typeof provider === 'string' &&
    (subject === undefined || typeof subject === 'string') &&
    areTexts(audience) &&
    areTexts(scopes) &&
    (lifetime === undefined || (typeof lifetime === 'number' && Number.isSafeInteger(lifetime)));
  if (!isWish || typeof to !== 'string' || Object.keys(more).length > 0) return undefined;
  return { wish: { provider, subject, audience, scopes, lifetime }, to };
}

/** The result of a request: the token, or why there is none. */
export type TokenResult =
  | { readonly kind: 'issued'; readonly issued: IssuedToken }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Returns the content of a result file. It may contain a secret. */
export function tokenResultText(result: TokenResult): string {
  return `${JSON.stringify(result)}\n`;
}

/** Parses a result; `undefined` for anything that the daemon does not write. */
export function parseTokenResult(text: string): TokenResult | undefined {
  const { kind, issued, code, message } = objectIn(text) ?? {};
  if (kind === 'refused' && typeof code === 'string' && typeof message === 'string')
    return { kind, code, message };
  if (kind !== 'issued' || !isRecord(issued)) return undefined;
  const { token, source, provider, subject, audience, scopes, issuedAt, jti, note } = issued;
  // JSON has no infinite number.
  const expiresAt = issued['expiresAt'] ?? Number.POSITIVE_INFINITY;
  const isToken =
    typeof token === 'string' &&
    (source === 'signed' || source === 'fetched') &&
    typeof provider === 'string' &&
    areTexts(audience) &&
    areTexts(scopes) &&
    typeof issuedAt === 'number' &&
    typeof expiresAt === 'number';
  if (!isToken) return undefined;
  const texts = { subject: textIn(subject), jti: textIn(jti), note: textIn(note) };
  return {
    kind,
    issued: { token, source, provider, audience, scopes, issuedAt, expiresAt, ...texts },
  };
}

const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

function areTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // Not a request; its text must not be shown.
    return undefined;
  }
}
