// The contents of `.top`, `.use` and `.meta`. Nothing is trusted: a user can store any
// bytes.
import { isRecord, nestsWithin } from '../base/values/json.ts';

/**
 * `.top` of an OAuth provider. `scopes` and `audience` are exactly as requested; unknown
 * keys are kept.
 */
export interface TopContents {
  readonly refresh_token: string;
  readonly scopes?: string | undefined;
  readonly audience?: string | undefined;
  readonly [key: string]: unknown;
}

/**
 * `.use` of a renewed token: the token response without its refresh token, and the times
 * of issue and expiry (epoch seconds), or `does_not_expire`.
 */
export interface UseContents {
  readonly access_token: string;
  readonly issued_at: number;
  readonly expires_at?: number;
  readonly does_not_expire?: true;
  readonly [key: string]: unknown;
}

/** `.meta`: the client that obtained the token, as written by the web server. */
export interface MetaContents {
  readonly client_id: string;
  readonly client_secret: string;
  readonly token_url: string;
  readonly use_refresh_token: boolean;
  /** The `sub` of the ID token of the login, if there was one. */
  readonly subject?: string | undefined;
  /** The time of the token response of the login, in epoch seconds. */
  readonly signed_in_at?: number | undefined;
}

/** A value, or the reason why there is none. The reason contains no secret. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** The maximum size of a credential file, in bytes. */
export const MAX_CREDENTIAL_BYTES: number = 1024 * 1024;

/**
 * The maximum length of a refresh token, in characters. Real ones have a few hundred,
 * JWTs a few thousand.
 */
export const MAX_REFRESH_TOKEN: number = 16_384;

/** The maximum nesting of a credential file. */
const DEEPEST = 64;

const refuse = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });

/** @see RFC 8259, section 3 */
const STARTS_JSON = /^[[{"\-\dtfn]/;

/** Parses a JSON object. The reason of a rejection contains none of the text. */
export function parseObject(text: string): Parsed<Record<string, unknown>> {
  const trimmed = text.trim();
  if (trimmed === '') return refuse('is empty');
  // The error of the parser costs more than most files.
  if (!STARTS_JSON.test(trimmed)) return refuse('is not JSON');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be a secret.
    return refuse('is not JSON');
  }
  if (!isRecord(value)) return refuse('is JSON, but not an object');
  return nestsWithin(value, DEEPEST)
    ? { ok: true, value }
    : refuse(`nests deeper than ${DEEPEST} levels`);
}

/** Parses `.top`. An empty refresh token is valid: the issuer returned none. */
export function parseTop(text: string): Parsed<TopContents> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { refresh_token: token } = object.value;
  if (typeof token !== 'string') return refuse('has no "refresh_token" string');
  if (token.length > MAX_REFRESH_TOKEN) return refuse('has a refresh token longer than 16 KiB');
  return { ok: true, value: { ...object.value, refresh_token: token } };
}

/** Parses `.meta`. */
export function parseMeta(text: string): Parsed<MetaContents> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { client_id, client_secret, token_url, use_refresh_token, subject, signed_in_at } =
    object.value;
  if (typeof client_id !== 'string' || client_id === '') return refuse('has no "client_id" string');
  if (typeof token_url !== 'string' || !URL.canParse(token_url))
    return refuse('has no valid "token_url"');
  if (client_secret !== undefined && typeof client_secret !== 'string')
    return refuse('has a "client_secret" that is not a string');
  return {
    ok: true,
    value: {
      client_id,
      client_secret: client_secret ?? '',
      token_url,
      use_refresh_token: use_refresh_token !== false,
      subject: typeof subject === 'string' ? subject : undefined,
      signed_in_at: typeof signed_in_at === 'number' ? signed_in_at : undefined,
    },
  };
}
