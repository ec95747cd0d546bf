// The circuit breaker of an issuer: open after failures of two different users in a row;
// and the renewals that had to wait, which are spread over time after an outage: all
// Access Points notice its end in the same seconds. Pure.
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import { DEFAULT_POLICY, jitterOf } from '@credmon/core/renewal';

/**
 * A failure of the issuer: no answer, or a request to slow down. `at` in steady seconds.
 */
interface Down {
  readonly who: string;
  readonly error: CodedError;
  readonly at: number;
}

/**
 * The health of an issuer: the last failures of different users (or of one user's
 * tokens), at most two, since the last answer.
 */
export type IssuerHealth = readonly Down[];

/** An issuer that answers, or that was not asked yet. */
export const HEALTHY: IssuerHealth = [];

/** While the circuit is open, one token probes the issuer this often, in seconds. */
export const PROBE_INTERVAL = 5;

/** Maximum wait of a token that is already expired or missing, in seconds. */
export const MAX_WAIT: number = DEFAULT_POLICY.longestRetry;

/**
 * Returns the health after an attempt for `who` that ended with `error`, or succeeded.
 */
export function healthAfter(
  before: IssuerHealth,
  who: string,
  error: Error | undefined,
  at: number,
): IssuerHealth {
  if (isDown(error))
    return [...before.filter((down) => down.who !== who), { who, error, at }].slice(-2);
  return wasNotAsked(error) ? before : HEALTHY;
}

/**
 * True when the circuit is open: one token at a time probes the issuer, and not before
 * {@link openUntil}.
 */
export function isOpen(health: IssuerHealth): boolean {
  return health.length > 1;
}

/**
 * Returns the steady second until which the issuer is not asked: the shorter of both
 * waits, but at least one interval.
 */
export function openUntil(health: IssuerHealth): number {
  const [first, second] = health;
  if (!first || !second) return Number.NEGATIVE_INFINITY;
  return Math.max(second.at + PROBE_INTERVAL, Math.min(endOfWait(first), endOfWait(second)));
}

/**
 * Returns the seconds for which a token must wait at `now` (steady seconds) because of
 * its issuer; 0 if it may be requested. If its `.use` would expire before the circuit
 * closes (`deadline`, steady seconds), it waits one interval only.
 */
export function waitOf(health: IssuerHealth, deadline: number, now: number): number {
  const last = health.at(-1)?.at;
  if (last === undefined || !isOpen(health)) return 0;
  const open = openUntil(health);
  const bound = deadline === Number.POSITIVE_INFINITY ? MAX_WAIT : PROBE_INTERVAL;
  const until =
    open < deadline && deadline < Number.POSITIVE_INFINITY ? open : Math.min(open, last + bound);
  return Math.max(0, until - now);
}

/** How the message of a token begins that waits because the circuit is open. */
export const SKIPPED = 'skipped: issuer not available';

/** Returns the error of a token that waits `seconds`: the last error of the issuer. */
export function errorOfWaiting(issuer: string, health: IssuerHealth, seconds: number): CodedError {
  const last = health.at(-1)?.error;
  const asked = health.every(({ error }) => retryAfter(error) > 0);
  return new CodedError(
    last?.code ?? 'ISSUER_UNREACHABLE',
    `${SKIPPED} (last error: ${last?.message ?? 'no answer'})`,
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

/** True when there was no answer, not even an error of the issuer. */
export function isSilence(error: Error | undefined): error is CodedError {
  return isCoded(error, 'ISSUER_UNREACHABLE') && error.fields['status'] === undefined;
}

/** This host could not open the connection: the issuer was not asked. */
function failedHere(error: CodedError): boolean {
  return error.fields['local'] === true;
}

/** The issuer was not asked: the problem is a file or this host. */
function wasNotAsked(error: Error | undefined): boolean {
  return isCoded(error) && (failedHere(error) || ERROR_CODES[error.code].issuer === 'not-asked');
}

/**
 * The end of an outage: when the issuer answered again, and over how many seconds the
 * renewals that waited are spread. Both in steady seconds.
 */
export interface Recovery {
  readonly at: number;
  readonly seconds: number;
}

/**
 * The renewals of an outage are spread over the same time, and half as much more: with those
 * that are due anyway, the issuer gets less than twice as many requests as usual.
 */
const SPREAD = 1.5;

/** A token is renewed before this share of its remaining life has passed. */
const LATEST = 0.5;

/** Returns the end of an outage from `since` to `now`, in steady seconds. */
export function recoveryOf(since: number, now: number): Recovery {
  return { at: now, seconds: SPREAD * Math.max(0, now - since) };
}

/** True when all renewals that waited have had their turn. */
export function isOver({ at, seconds }: Recovery, now: number): boolean {
  return now > at + seconds;
}

/**
 * Returns how long a token that waited for the issuer still waits at `now`, in seconds.
 * `deadline`: when its `.use` expires (steady seconds; infinite when it has expired or is
 * missing: it does not wait). The same token always has the same place.
 */
export function waitAfter(
  { at, seconds }: Recovery,
  token: string,
  deadline: number,
  now: number,
): number {
  if (deadline === Number.POSITIVE_INFINITY) return 0;
  const over = Math.min(seconds, LATEST * (deadline - at));
  return Math.max(0, at + over * jitterOf(`after an outage ${token}`) - now);
}

/** The error of a token that waits for its turn. */
export function errorOfTurn(issuer: string): CodedError {
  return new CodedError(
    'ISSUER_UNREACHABLE',
    'skipped: the issuer is available again, and the renewals that waited for it are spread over time',
    { about: `waiting for ${issuer}` },
  );
}
