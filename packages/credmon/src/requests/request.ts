// A user's request to renew a token now or for a new token, and its result: files in the
// run directory. Pure.
import type { IssuedToken, TokenWish } from '../issuance/issue.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { isRecord } from '@credmon/core/base';
import { isCredName } from '@credmon/core/credential';

/** What is asked for. `stem`: service, or service_handle. */
export interface WantedToken {
  readonly user: string;
  readonly stem: string;
}

/** A request of the user with this id; `id` is the unpredictable part of its name. */
export interface RenewalRequest extends WantedToken {
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
}

/** Maximum length of a request, in bytes: one for a token may name many scopes. */
export const LONGEST_REQUEST = 4096;
/** Seconds after which nobody waits for a request any more. */
export const OLDEST_REQUEST = 600;

/** Returns the name of a request with this id: 32 hex digits. */
export const requestName = (id: string): string => `${id}.request`;
/** Returns the name of a request that is being written. */
export const unfinishedName = (id: string): string => `.${id}.new`;
/** True for the name of a request that is being written. */
export const isUnfinished = (name: string): boolean => /^\.[0-9a-f]{32}\.new$/.test(name);
/** Returns the id in the name of a request; `undefined` for any other name. */
export const requestId = (name: string): string | undefined =>
  /^([0-9a-f]{32})\.request$/.exec(name)?.[1];
/** Returns the name of a result, in another directory. */
export const resultName = ({ uid, id }: Pick<RenewalRequest, 'uid' | 'id'>): string =>
  `${uid}-${id}.json`;

/** Returns the content of a request. */
export function requestText({ user, stem }: WantedToken): string {
  return `${JSON.stringify({ renew: { user, service: stem } })}\n`;
}

/**
 * Parses the content of a request: exactly the members of {@link requestText}, and names
 * of a credential directory. `undefined` for anything else.
 */
export function parseRequest(text: string): WantedToken | undefined {
  const { renew, ...rest } = objectIn(text) ?? {};
  if (!isRecord(renew) || Object.keys(rest).length > 0) return undefined;
  const { user, service, ...more } = renew;
  if (Object.keys(more).length > 0 || typeof user !== 'string' || typeof service !== 'string')
    return undefined;
  return (isCredName(user) || user === STANDING) && isCredName(service)
    ? { user, stem: service }
    : undefined;
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

/** What lstat says of an entry; `mtime` in epoch seconds, `mode` as permission bits. */
export interface EntryFacts {
  readonly kind: 'file' | 'link' | 'directory' | 'other';
  readonly uid: number;
  readonly links: number;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
}

/**
 * What to do with an entry of the directory of requests: `read` it, or remove it, with
 * the reason if it is worth a log line.
 */
export type EntryVerdict =
  | { readonly kind: 'read'; readonly id: string }
  | { readonly kind: 'remove'; readonly why?: string };

/** Judges an entry by its name and lstat. Unfinished requests are left over here. */
export function judgeEntry(name: string, facts: EntryFacts, now: number): EntryVerdict {
  if (isUnfinished(name)) return { kind: 'remove' };
  const id = requestId(name);
  if (id === undefined) return { kind: 'remove', why: 'its name is not that of a request' };
  const why = whyUntrusted(facts);
  if (why !== undefined) return { kind: 'remove', why };
  return now - facts.mtime <= OLDEST_REQUEST ? { kind: 'read', id } : { kind: 'remove' };
}

/**
 * Returns why a file says nothing about the user who owns it: only this user can have
 * written it, under this name alone.
 */
export function whyUntrusted({ kind, links, mode, size }: EntryFacts): string | undefined {
  if (kind === 'link') return 'it is a symbolic link';
  if (kind !== 'file') return `it is not a regular file`;
  if (links !== 1) return 'it has a second name (hard link)';
  if ((mode & 0o077) !== 0) return 'its mode gives access to other users';
  return size <= LONGEST_REQUEST ? undefined : `it is larger than ${LONGEST_REQUEST} bytes`;
}

/**
 * The result of a request: `renewed`; `failed`: the renewal was tried; `refused`: it was
 * not. Times in epoch seconds; `next_renewal` is when the daemon tries again by itself.
 */
export interface RenewalResult {
  readonly result: 'renewed' | 'failed' | 'refused';
  readonly at: number;
  readonly provider: string | null;
  readonly expires_at: number | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly next_renewal: number | null;
}

/** Returns the result of a request that is not tried, with the reason, at `now`. */
export function refusal(message: string, now: number): RenewalResult {
  return {
    result: 'refused',
    at: Math.floor(now),
    provider: null,
    expires_at: null,
    code: null,
    message,
    next_renewal: null,
  };
}

/** Returns the content of a result file. */
export function resultText(result: RenewalResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Parses a result; `undefined` for anything that the daemon does not write. */
export function parseResult(text: string): RenewalResult | undefined {
  const value = objectIn(text);
  if (!value) return undefined;
  const isNumber = (each: unknown): boolean => typeof each === 'number';
  const isText = (each: unknown): boolean => typeof each === 'string';
  const fits =
    ['renewed', 'failed', 'refused'].includes(String(value['result'])) &&
    isNumber(value['at']) &&
    ['expires_at', 'next_renewal'].every((name) => value[name] === null || isNumber(value[name])) &&
    ['provider', 'code', 'message'].every((name) => value[name] === null || isText(value[name]));
  return fits ? (value as unknown as RenewalResult) : undefined;
}

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
