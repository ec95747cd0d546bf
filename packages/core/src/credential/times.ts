// When a token was issued and when it expires, from what the token and its file say;
// never from the inode's change time.
import { jwtClaims } from '../base/values/json.ts';

/** Issue and expiry in epoch seconds. */
export interface TokenTimes {
  readonly issuedAt: number;
  readonly expiresAt: number;
  /**
   * True when `.use` was stored just before the `.top` of the same login, see {@link
   * STORED_BEFORE_TOP}.
   */
  readonly beforeTop?: true;
}

/**
 * The member by which a `.use` says that the `.top` stored right after it is not news: a
 * device login stores both through CredD.
 */
export const STORED_BEFORE_TOP = 'stored_before_top';

/** Lifetimes beyond ten years are somebody's mistake. */
const ABSURD_SECONDS = 10 * 365 * 86_400;

/**
 * A lifetime in seconds from an `expires_in` of any type: a positive number or numeric
 * text under ten years, rounded down; else `undefined`.
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
 * `iat` and `exp` of a JWT, without verifying it: good for scheduling only. `undefined`
 * when it is not a JWT or they are missing.
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
 * {@link jwtTimes} on our own clock: a token cannot have been written, at `mtime`, before
 * it was issued. Where it says so, the issuer's clock is ahead, and the times are moved
 * to ours.
 */
export function jwtTimesHere(token: string, mtime: number): TokenTimes | undefined {
  const times = jwtTimes(token);
  const ahead = times ? times.issuedAt - mtime : 0;
  return times && ahead > 0 ? { issuedAt: mtime, expiresAt: times.expiresAt - ahead } : times;
}

/**
 * The lifetime in seconds that a fresh token response promises: its `expires_in`, else
 * what the JWT's `exp` leaves at `issuedAt` (epoch seconds; an issuer may hand out a
 * token that it made earlier), else `defaultLifetime`. Where our clock and the issuer's
 * are too far apart for that, `exp` minus `iat` serves.
 */
export function promisedLifetime(
  answer: Readonly<Record<string, unknown>>,
  defaultLifetime: number,
  issuedAt?: number,
): number {
  const said = saneLifetime(answer['expires_in']);
  if (said !== undefined) return said;
  const token = answer['access_token'];
  const times = typeof token === 'string' ? jwtTimes(token) : undefined;
  if (!times) return defaultLifetime;
  const whole = times.expiresAt - times.issuedAt;
  const left = issuedAt === undefined ? whole : times.expiresAt - issuedAt;
  return saneLifetime(left > 0 ? Math.min(left, whole) : whole) ?? defaultLifetime;
}

/**
 * The times of a stored token: `issued_at` and `expires_at`; else `expires_at` minus
 * `expires_in`; else the JWT's `iat` and `exp`; else the file's modification time plus
 * `expires_in`, or plus `defaultLifetime`.
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
