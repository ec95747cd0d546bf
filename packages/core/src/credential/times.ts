// The times of issue and expiry of a token, from the token and its file. The inode's
// change time is not used.
import { jwtClaims } from '../base/values/json.ts';
import { knobDefault } from '../config/typed/declarations.ts';

/**
 * Issue and expiry in epoch seconds; `expiresAt` is infinite for a token that does not
 * expire.
 */
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

/**
 * The member of `.use` that replaces `expires_in` and `expires_at` of a token that does
 * not expire.
 */
export const DOES_NOT_EXPIRE = 'does_not_expire';

/**
 * The longest lifetime in seconds (ten years). A longer one is shortened to it.
 */
export const LONGEST_LIFETIME: number = 10 * 365 * 86_400;

/**
 * Returns a lifetime in seconds from an `expires_in` of any type: a positive number or
 * numeric text, rounded down, at most {@link LONGEST_LIFETIME}; else `undefined`.
 */
export function saneLifetime(value: unknown): number | undefined {
  const seconds = statedSeconds(value);
  return seconds === undefined ? undefined : Math.min(seconds, LONGEST_LIFETIME);
}

/** Like {@link saneLifetime}, without the upper limit. */
export function statedSeconds(value: unknown): number | undefined {
  const number = numberOf(value);
  const seconds = number === undefined ? 0 : Math.floor(number);
  return seconds > 0 ? seconds : undefined;
}

/** Returns a finite number, also from its decimal text. */
function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === 'string' && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Values from here on are milliseconds, not seconds. */
const MILLISECONDS = 1e12;

function saneInstant(value: unknown): number | undefined {
  const instant = numberOf(value);
  return instant !== undefined && instant > 0 && instant < MILLISECONDS ? instant : undefined;
}

/**
 * Returns `iat` and `exp` of a JWT without verification, for scheduling only; `undefined`
 * if it is not a JWT or one is missing.
 * @see RFC 7519, section 4.1
 */
export function jwtTimes(token: string): TokenTimes | undefined {
  const { issuedAt, expiresAt } = claimedTimes(token);
  if (issuedAt === undefined || expiresAt === undefined || expiresAt <= issuedAt) return undefined;
  return { issuedAt, expiresAt: Math.min(expiresAt, issuedAt + LONGEST_LIFETIME) };
}

/** The times in the claims of a JWT, as they are. */
function claimedTimes(token: unknown): Partial<TokenTimes> {
  const claims = typeof token === 'string' ? jwtClaims(token) : undefined;
  const [issuedAt, expiresAt] = ['iat', 'exp'].map((name) => {
    const claim = claims?.[name];
    return typeof claim === 'number' ? saneInstant(claim) : undefined;
  });
  return {
    ...(issuedAt === undefined ? {} : { issuedAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/**
 * Returns the times of a JWT on our own clock: a token cannot be written, at `mtime`,
 * before it was issued. If `iat` is later, the issuer's clock is ahead and the times are
 * shifted to ours. Without `iat` the file's time is used.
 */
export function jwtTimesHere(token: unknown, mtime: number): TokenTimes | undefined {
  const { issuedAt = mtime, expiresAt } = claimedTimes(token);
  if (expiresAt === undefined) return undefined;
  if (expiresAt <= issuedAt)
    return issuedAt === mtime ? { issuedAt: expiresAt - 1, expiresAt } : undefined;
  const ahead = Math.max(0, issuedAt - mtime);
  const end = Math.min(expiresAt - ahead, mtime + LONGEST_LIFETIME);
  return { issuedAt: Math.max(issuedAt - ahead, end - LONGEST_LIFETIME), expiresAt: end };
}

/**
 * Returns the lifetime in seconds of a new token: its `expires_in`, else the time from
 * `issuedAt` (epoch seconds) to its `expires_at`; else the time to the JWT's `exp`,
 * because an issuer may return a token that it made earlier; else `defaultLifetime`. If
 * our clock and the issuer's differ too much, `exp` minus `iat` is used. A lifetime of
 * more than {@link LONGEST_LIFETIME} counts only if the JWT has no `exp`, and is
 * shortened. With an infinite `defaultLifetime`, a token without any lifetime does not
 * expire.
 */
export function promisedLifetime(
  answer: Readonly<Record<string, unknown>>,
  defaultLifetime: number,
  issuedAt?: number,
): number {
  const stated =
    statedSeconds(answer['expires_in']) ??
    secondsUntil(saneInstant(answer['expires_at']), issuedAt);
  if (stated !== undefined && stated <= LONGEST_LIFETIME) return stated;
  const ofToken = jwtLifetime(answer['access_token'], issuedAt);
  const known = saneLifetime(ofToken) ?? saneLifetime(stated);
  return known ?? (saysLifetime(answer) ? finite(defaultLifetime) : defaultLifetime);
}

/**
 * True for an answer or file that has a lifetime or expiry, usable or not. Zero stands for
 * none.
 */
function saysLifetime(answer: Readonly<Record<string, unknown>>): boolean {
  const token = answer['access_token'];
  const claims = typeof token === 'string' ? jwtClaims(token) : undefined;
  return [answer['expires_in'], answer['expires_at'], claims?.['exp']].some(
    (value) => value !== undefined && value !== null && value !== '' && Number(value) !== 0,
  );
}

/** The lifetime in seconds of a token that expires at an unknown time. */
function finite(defaultLifetime: number): number {
  return Number.isFinite(defaultLifetime)
    ? defaultLifetime
    : knobDefault('CREDMON_DEFAULT_TOKEN_LIFETIME');
}

function secondsUntil(
  expiresAt: number | undefined,
  issuedAt: number | undefined,
): number | undefined {
  if (expiresAt === undefined || issuedAt === undefined) return undefined;
  return statedSeconds(expiresAt - issuedAt);
}

function jwtLifetime(token: unknown, now: number | undefined): number | undefined {
  const { issuedAt, expiresAt } = claimedTimes(token);
  const left = secondsUntil(expiresAt, now);
  const whole = secondsUntil(expiresAt, issuedAt);
  if (issuedAt === undefined) return left;
  return whole === undefined ? undefined : Math.min(left ?? whole, whole);
}

/**
 * The times of a stored token. `assumed` is true if the lifetime is the default one,
 * because neither the file nor the token has any.
 */
export interface StoredTimes {
  readonly times: TokenTimes;
  readonly assumed: boolean;
}

/**
 * Returns the times of a stored token: `issued_at` and `expires_at`; else `issued_at` and
 * {@link DOES_NOT_EXPIRE}; else `expires_at` minus `expires_in`; else the JWT's `iat` and
 * `exp`; else from the file's modification time to `expires_at`, or for `expires_in` or
 * `defaultLifetime` seconds. A lifetime of more than {@link LONGEST_LIFETIME} is
 * shortened.
 */
export function storedTimes(
  use: Readonly<Record<string, unknown>>,
  mtime: number,
  defaultLifetime: number,
): TokenTimes {
  return timesInFile(use, mtime, defaultLifetime).times;
}

/** Like {@link storedTimes}, and says whether the lifetime is assumed. */
export function timesInFile(
  use: Readonly<Record<string, unknown>>,
  mtime: number,
  defaultLifetime: number,
): StoredTimes {
  const times = recordedTimes(use, mtime);
  if (times) return { times, assumed: false };
  const assumed = !saysLifetime(use);
  const lifetime = assumed ? defaultLifetime : finite(defaultLifetime);
  return { times: { issuedAt: mtime, expiresAt: mtime + lifetime }, assumed };
}

/** The times that a file or its token says; `undefined` if there is no lifetime. */
function recordedTimes(
  use: Readonly<Record<string, unknown>>,
  mtime: number,
): TokenTimes | undefined {
  const issued = saneInstant(use['issued_at']);
  const expiresAt = saneInstant(use['expires_at']);
  const lifetime = statedSeconds(use['expires_in']);
  if (use[DOES_NOT_EXPIRE] === true && issued !== undefined && !saysLifetime(use))
    return { issuedAt: issued, expiresAt: Number.POSITIVE_INFINITY };
  const stated = statedSpan(issued, expiresAt, lifetime);
  if (stated && stated.expiresAt - stated.issuedAt <= LONGEST_LIFETIME) return stated;
  const ofToken = jwtTimesHere(use['access_token'], mtime);
  if (ofToken && (stated || expiresAt === undefined)) return ofToken;
  if (stated) return { ...stated, expiresAt: stated.issuedAt + LONGEST_LIFETIME };
  if (expiresAt !== undefined) {
    const issuedAt = Math.min(ofToken?.issuedAt ?? mtime, expiresAt - 1);
    return { issuedAt, expiresAt: Math.min(expiresAt, issuedAt + LONGEST_LIFETIME) };
  }
  return lifetime === undefined
    ? undefined
    : { issuedAt: mtime, expiresAt: mtime + Math.min(lifetime, LONGEST_LIFETIME) };
}

/** The times of a record that has two of the three. */
function statedSpan(
  issuedAt: number | undefined,
  expiresAt: number | undefined,
  lifetime: number | undefined,
): TokenTimes | undefined {
  if (expiresAt === undefined) return undefined;
  const recorded = issuedAt !== undefined && expiresAt > issuedAt;
  if (recorded && expiresAt - issuedAt <= LONGEST_LIFETIME) return { issuedAt, expiresAt };
  if (lifetime !== undefined && lifetime <= LONGEST_LIFETIME)
    return { issuedAt: expiresAt - lifetime, expiresAt };
  return recorded ? { issuedAt, expiresAt } : undefined;
}
