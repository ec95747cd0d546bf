// After an outage of an issuer, the renewals that had to wait are spread over time: all
// Access Points notice its end in the same seconds. Pure.
import { CodedError } from '@credmon/core/base';
import { jitterOf } from '@credmon/core/renewal';

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
