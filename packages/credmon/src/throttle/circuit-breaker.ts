// When an issuer is spared: two different users have failed there in a row, so the next
// one would fare no better. Pure.
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import { DEFAULT_POLICY } from '@credmon/core/renewal';

/**
 * A failure that is the issuer's own: no answer, or a request to slow down. `at` in
 * steady seconds.
 */
interface Down {
  readonly who: string;
  readonly error: CodedError;
  readonly at: number;
}

/**
 * What is known of an issuer: the last failures of different users (or of one user's
 * tokens), at most two, with no answer since.
 */
export type IssuerHealth = readonly Down[];

/** An issuer that answers, or of which nothing is known. */
export const HEALTHY: IssuerHealth = [];

/** A spared issuer is asked again this often, in seconds, by one token. */
export const PROBE_INTERVAL = 5;

/**
 * Who has no valid token is held no longer than this, in seconds, whatever others were
 * told.
 */
export const LONGEST_HOLD: number = DEFAULT_POLICY.longestRetry;

/**
 * What is known after an attempt for `who` that ended with `error`, or well without one.
 */
export function healthAfter(
  before: IssuerHealth,
  who: string,
  error: Error | undefined,
  at: number,
): IssuerHealth {
  if (isDown(error))
    return [...before.filter((down) => down.who !== who), { who, error, at }].slice(-2);
  return saysNothing(error) ? before : HEALTHY;
}

/**
 * True when the issuer is spared: it is asked by one token at a time, and not before
 * {@link heldUntil}.
 */
export function isSpared(health: IssuerHealth): boolean {
  return health.length > 1;
}

/**
 * The steady second until which the issuer is left alone: as long as both were told to
 * wait, but at least one interval.
 */
export function heldUntil(health: IssuerHealth): number {
  const [first, second] = health;
  if (!first || !second) return Number.NEGATIVE_INFINITY;
  return Math.max(second.at + PROBE_INTERVAL, Math.min(endOfWait(first), endOfWait(second)));
}

/**
 * How many seconds a token that could be asked for now, at `now` (steady seconds), has to
 * wait for the sake of its issuer; 0 when it may be asked for. One whose `.use` would not
 * live to the end of the hold (`deadline`, steady seconds) waits for an interval only.
 */
export function waitOf(health: IssuerHealth, deadline: number, now: number): number {
  const last = health.at(-1)?.at;
  if (last === undefined || !isSpared(health)) return 0;
  const held = heldUntil(health);
  const bound = deadline === Number.POSITIVE_INFINITY ? LONGEST_HOLD : PROBE_INTERVAL;
  const until =
    held < deadline && deadline < Number.POSITIVE_INFINITY ? held : Math.min(held, last + bound);
  return Math.max(0, until - now);
}

/** The error of a token that waits so many `seconds`: what happened to the others. */
export function errorOfWaiting(issuer: string, health: IssuerHealth, seconds: number): CodedError {
  const last = health.at(-1)?.error;
  const asked = health.every(({ error }) => retryAfter(error) > 0);
  return new CodedError(
    last?.code ?? 'ISSUER_UNREACHABLE',
    `skipped: issuer not available (last error: ${last?.message ?? 'no answer'})`,
    { about: `waiting for ${issuer}`, ...(asked ? { retryAfter: Math.ceil(seconds) } : {}) },
  );
}

function endOfWait({ error, at }: Down): number {
  return at + retryAfter(error);
}

function retryAfter({ fields }: CodedError): number {
  return typeof fields['retryAfter'] === 'number' ? fields['retryAfter'] : 0;
}

function isDown(error: Error | undefined): error is CodedError {
  return isCoded(error, 'ISSUER_BUSY') || (isSilence(error) && !failedHere(error));
}

/** True when no answer came: not even one that says that the issuer failed. */
export function isSilence(error: Error | undefined): error is CodedError {
  return isCoded(error, 'ISSUER_UNREACHABLE') && error.fields['status'] === undefined;
}

/** This host could not make the connection: the issuer was not asked. */
function failedHere(error: CodedError): boolean {
  return error.fields['local'] === true;
}

/** Nobody was asked: the fault is in a file or on this host. */
function saysNothing(error: Error | undefined): boolean {
  return isCoded(error) && (failedHere(error) || ERROR_CODES[error.code].issuer === 'not-asked');
}
