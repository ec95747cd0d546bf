// What is in `.top`, `.use` and `.meta`: JSON read with suspicion, because any user
// can store any bytes.
import { isRecord, nestsWithin } from '../base/values/json.ts';

/**
 * `.top` of an OAuth provider. `scopes` and `audience` stand exactly as requested;
 * unknown keys are kept.
 */
export interface TopContents {
  readonly refresh_token: string;
  readonly scopes?: string;
  readonly audience?: string;
  readonly [key: string]: unknown;
}

/**
 * `.use` of a renewing provider: the issuer's answer without its refresh token, and when
 * it was issued and expires (epoch seconds).
 */
export interface UseContents {
  readonly access_token: string;
  readonly issued_at: number;
  readonly expires_at: number;
  readonly [key: string]: unknown;
}

/** `.meta`: the client that obtained the token, as the web server wrote it. */
export interface MetaContents {
  readonly client_id: string;
  readonly client_secret: string;
  readonly token_url: string;
  readonly use_refresh_token: boolean;
  /** The `sub` of the ID token that came with the login, when there was one. */
  readonly subject?: string;
  /** When the issuer answered the login, in epoch seconds. */
  readonly signed_in_at?: number;
}

/** A value, or the reason why there is none (never with a secret in it). */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** The largest credential file that is read, in bytes. */
export const MAX_CREDENTIAL_BYTES: number = 1024 * 1024;

/**
 * The longest refresh token that is kept and sent, in characters; real ones have a few
 * hundred, a JWT a few thousand.
 */
export const MAX_REFRESH_TOKEN: number = 16_384;

/** The deepest nesting of a credential file. */
const DEEPEST = 64;

const refuse = (reason: string): { ok: false; reason: string } => ({ ok: false, reason });

/** Reads a JSON object; anything else is refused with the reason. */
export function parseObject(text: string): Parsed<Record<string, unknown>> {
  if (text.trim() === '') return refuse('is empty');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may be a secret.
    return refuse('is not JSON');
  }
  if (!isRecord(value)) return refuse('is JSON, but not an object');
  return nestsWithin(value, DEEPEST)
    ? { ok: true, value }
    : refuse(`nests deeper than ${DEEPEST} levels`);
}

/** Reads `.top`. An empty refresh token is legal: it says that the issuer gave none. */
export function parseTop(text: string): Parsed<TopContents> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { refresh_token: token } = object.value;
  if (typeof token !== 'string') return refuse('has no "refresh_token" text');
  if (token.length > MAX_REFRESH_TOKEN) return refuse('holds a refresh token of more than 16 KiB');
  return { ok: true, value: { ...object.value, refresh_token: token } };
}

/** Reads `.meta`. */
export function parseMeta(text: string): Parsed<MetaContents> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { client_id, client_secret, token_url, use_refresh_token, subject, signed_in_at } =
    object.value;
  if (typeof client_id !== 'string' || client_id === '') return refuse('has no "client_id" text');
  if (typeof token_url !== 'string' || !URL.canParse(token_url))
    return refuse('has no "token_url" that is a URL');
  if (client_secret !== undefined && typeof client_secret !== 'string')
    return refuse('has a "client_secret" that is not text');
  return {
    ok: true,
    value: {
      client_id,
      client_secret: client_secret ?? '',
      token_url,
      use_refresh_token: use_refresh_token !== false,
      ...(typeof subject === 'string' ? { subject } : {}),
      ...(typeof signed_in_at === 'number' ? { signed_in_at } : {}),
    },
  };
}
