// When a token was issued and when it expires, from what the token and its file say; never from the inode's change time.
import { isRecord } from './json.ts';

/** Issue and expiry in epoch seconds. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Lifetimes beyond ten years are somebody's mistake. */
const ABSURD_SECONDS = 10 * 365 * 86_400;

/** A lifetime in seconds from an `expires_in` of any type: a positive number or numeric text under ten years, rounded down; else `undefined`. */
export function saneLifetime(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  const seconds = Math.floor(number);
  return seconds > 0 && seconds < ABSURD_SECONDS ? seconds : undefined;
}

function saneInstant(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e11 ? value : undefined;
}

/**
 * `iat` and `exp` of a JWT, without verifying it: good for scheduling only. `undefined` when it is no JWT or they are missing.
 * @see RFC 7519, section 4.1
 */
export function jwtTimes(token: string): TokenTimes | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token)?.[1];
  if (payload === undefined) return undefined;
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    // Three base64url parts are not yet a JWT; an opaque token may look so.
    return undefined;
  }
  if (!isRecord(claims)) return undefined;
  const issuedAt = saneInstant(claims['iat']);
  const expiresAt = saneInstant(claims['exp']);
  if (issuedAt === undefined || expiresAt === undefined || expiresAt <= issuedAt) return undefined;
  return expiresAt - issuedAt < ABSURD_SECONDS ? { issuedAt, expiresAt } : undefined;
}

/**
 * The lifetime in seconds that a fresh token response promises: its `expires_in`, else the JWT's `exp` minus `iat`,
 * else `defaultLifetime`.
 */
export function promisedLifetime(answer: Readonly<Record<string, unknown>>, defaultLifetime: number): number {
  const said = saneLifetime(answer['expires_in']);
  if (said !== undefined) return said;
  const token = answer['access_token'];
  const times = typeof token === 'string' ? jwtTimes(token) : undefined;
  return times ? Math.floor(times.expiresAt - times.issuedAt) : defaultLifetime;
}

/**
 * The times of a stored token: `issued_at` and `expires_at`; else `expires_at` minus `expires_in`; else the JWT's `iat` and `exp`;
 * else the file's modification time plus `expires_in`, or plus `defaultLifetime`.
 */
export function storedTimes(
  use: Readonly<Record<string, unknown>>,
  mtime: number,
  defaultLifetime: number,
): TokenTimes {
  const issuedAt = saneInstant(use['issued_at']);
  const expiresAt = saneInstant(use['expires_at']);
  const lifetime = saneLifetime(use['expires_in']);
  if (expiresAt !== undefined && issuedAt !== undefined && expiresAt > issuedAt)
    return { issuedAt, expiresAt };
  if (expiresAt !== undefined && lifetime !== undefined) return { issuedAt: expiresAt - lifetime, expiresAt };
  const token = use['access_token'];
  const fromToken = typeof token === 'string' ? jwtTimes(token) : undefined;
  return fromToken ?? { issuedAt: mtime, expiresAt: mtime + (lifetime ?? defaultLifetime) };
}
