// When an issuer is spared: two different tokens have failed there in a row, so the next one would fare no better. Pure.
import { CodedError, isCoded } from '@credmon/core';

/** A failure that is the issuer's own: no answer, or a request to slow down. `at` in steady seconds. */
interface Down {
  readonly token: string;
  readonly error: CodedError;
  readonly at: number;
}

/** What is known of an issuer: the last failures of different tokens, at most two, with no answer since. */
export type IssuerHealth = readonly Down[];

/** An issuer that answers, or of which nothing is known. */
export const HEALTHY: IssuerHealth = [];

/** A spared issuer is asked again this often, in seconds, by one token. */
export const PROBE_INTERVAL = 5;

/** What is known after an attempt of `token` that ended with `error`, or well without one. */
export function healthAfter(
  before: IssuerHealth,
  token: string,
  error: Error | undefined,
  at: number,
): IssuerHealth {
  if (isDown(error))
    return [...before.filter((down) => down.token !== token), { token, error, at }].slice(-2);
  return saysNothing(error) ? before : HEALTHY;
}

/** True when the issuer is spared: it is asked by one token at a time, and not before {@link heldUntil}. */
export function isSpared(health: IssuerHealth): boolean {
  return health.length > 1;
}

/** The steady second until which the issuer is left alone: as long as both tokens were told to wait, but at least one interval. */
export function heldUntil(health: IssuerHealth): number {
  const [first, second] = health;
  if (!first || !second) return Number.NEGATIVE_INFINITY;
  return Math.max(second.at + PROBE_INTERVAL, Math.min(endOfWait(first), endOfWait(second)));
}

/**
 * True when a token that could be asked for now, at `now` (steady seconds), has to wait for the sake of its issuer. One whose `.use` would
 * not live to the end of the hold (`deadline`, steady seconds) waits for an interval only.
 */
export function mustWait(health: IssuerHealth, deadline: number, now: number): boolean {
  if (!isSpared(health) || now >= heldUntil(health)) return false;
  const last = health.at(-1)?.at ?? now;
  return deadline > heldUntil(health) || now < last + PROBE_INTERVAL;
}

/** The error of a token that waits: what happened to the others, and how long both were told to wait. `now` in steady seconds. */
export function errorOfWaiting(issuer: string, health: IssuerHealth, now: number): CodedError {
  const last = health.at(-1)?.error;
  const asked = health.every(({ error }) => retryAfter(error) > 0);
  return new CodedError(
    last?.code ?? 'ISSUER_UNREACHABLE',
    `not tried, because other tokens of the same issuer failed: ${last?.message ?? 'no answer'}`,
    {
      about: `waiting for ${issuer}`,
      ...(asked ? { retryAfter: Math.max(0, Math.ceil(heldUntil(health) - now)) } : {}),
    },
  );
}

function endOfWait({ error, at }: Down): number {
  return at + retryAfter(error);
}

function retryAfter({ fields }: CodedError): number {
  return typeof fields['retryAfter'] === 'number' ? fields['retryAfter'] : 0;
}

function isDown(error: Error | undefined): error is CodedError {
  return (
    isCoded(error, 'ISSUER_BUSY') ||
    (isCoded(error, 'ISSUER_UNREACHABLE') && error.fields['status'] === undefined)
  );
}

/** Nobody was asked: the fault lies with a file here. */
function saysNothing(error: Error | undefined): boolean {
  return isCoded(error, 'SECRET_UNREADABLE') || isCoded(error, 'CRED_FILE_INVALID');
}
