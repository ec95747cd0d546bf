// The times of issue and expiry of a token, from the token and its file. The inode's
// change time is not used.
import { jwtClaims } from '../base/values/json.ts';

/** Issue and expiry in epoch seconds. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
  /**
   * True if `.use` was stored just before the `.top` of the same login, see {@link
   * STORED_BEFORE_TOP}.
   */
  readonly beforeTop?: true;
}

/**
 * The member that marks a `.use` stored just before the `.top` of the same login: a
 * device login stores both through CredD, so the newer `.top` does not require a renewal.
 */
export const STORED_BEFORE_TOP = 'stored_before_top';

/** Lifetimes of more than ten years are errors. */
const ABSURD_SECONDS = 10 * 365 * 86_400;

/**
 * Returns a lifetime in seconds from an `expires_in` of any type: a positive number or
 * numeric text under ten years, rounded down; else `undefined`.
 */
export function saneLifetime(value: unknown): number | undefined {
  const number =
    typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  const seconds = Math.floor(number);
  return seconds > 0 && seconds < ABSURD_SECONDS ? seconds : undefined;
}

function saneInstant(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 1e11
    ? value
    : undefined;
}

/**
 * Returns `iat` and `exp` of a JWT without verification, for scheduling only; `undefined`
 * if it is not a JWT or one is missing.
 * @see RFC 7519, section 4.1
 */
export function jwtTimes(token: string): TokenTimes | undefined {
  const claims = jwtClaims(token);
  const issuedAt = saneInstant(claims?.['iat']);
  const expiresAt = saneInstant(claims?.['exp']);
  if (issuedAt === undefined || expiresAt === undefined) return undefined;
  return isSpan(issuedAt, expiresAt) ? { issuedAt, expiresAt } : undefined;
}

function isSpan(issuedAt: number, expiresAt: number): boolean {
  return expiresAt > issuedAt && expiresAt - issuedAt < ABSURD_SECONDS;
}

/**
 * Returns {@link jwtTimes} on our own clock: a token cannot be written, at `mtime`,
 * before it was issued. If `iat` is later, the issuer's clock is ahead and the times are
 * shifted to ours.
 */
export function jwtTimesHere(token: string, mtime: number): TokenTimes | undefined {
  const times = jwtTimes(token);
  const ahead = times ? times.issuedAt - mtime : 0;
  return times && ahead > 0 ? { issuedAt: mtime, expiresAt: times.expiresAt - ahead } : times;
}

/**
 * Returns the lifetime in seconds of a new token: its `expires_in`; else the time from
 * `issuedAt` (epoch seconds) to the JWT's `exp`, because an issuer may return a token
 * that it made earlier; else `defaultLifetime`. If our clock and the issuer's differ too
 * much, `exp` minus `iat` is used.
 */
export function promisedLifetime(
  answer: Readonly<Record<string, unknown>>,
  defaultLifetime: number,
  issuedAt?: number,
): number {
  const stated = saneLifetime(answer['expires_in']);
  if (stated !== undefined) return stated;
  const token = answer['access_token'];
  const times = typeof token === 'string' ? jwtTimes(token) : undefined;
  if (!times) return defaultLifetime;
  const whole = times.expiresAt - times.issuedAt;
  const left = issuedAt === undefined ? whole : times.expiresAt - issuedAt;
  return saneLifetime(left > 0 ? Math.min(left, whole) : whole) ?? defaultLifetime;
}

/**
 * Returns the times of a stored token: `issued_at` and `expires_at`; else `expires_at`
 * minus `expires_in`; else the JWT's `iat` and `exp`; else the file's modification time
 * plus `expires_in` or `defaultLifetime`.
 */
export function storedTimes(
  use: Readonly<Record<string, unknown>>,
  mtime: number,
  defaultLifetime: number,
): TokenTimes {
  const issuedAt = saneInstant(use['issued_at']);
  const expiresAt = saneInstant(use['expires_at']);
  const lifetime = saneLifetime(use['expires_in']);
  if (expiresAt !== undefined && issuedAt !== undefined && isSpan(issuedAt, expiresAt))
    return { issuedAt, expiresAt };
  if (expiresAt !== undefined && lifetime !== undefined)
    return { issuedAt: expiresAt - lifetime, expiresAt };
  const token = use['access_token'];
  const fromToken = typeof token === 'string' ? jwtTimesHere(token, mtime) : undefined;
  return fromToken ?? { issuedAt: mtime, expiresAt: mtime + (lifetime ?? defaultLifetime) };
}
