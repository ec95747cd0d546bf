// What passes work with: the world's ports, and what is remembered from one pass to the
// next.
import type { Clock, Send } from '@credmon/core/base';
import type { CredentialStore, LockState, TokenChange } from '@credmon/core/store';
import type { FileIdentity, Parsed, RenewalState } from '@credmon/core/credential';
import type { Limiter } from '../throttle/issuer-queues.ts';
import type { Report } from '../report/events.ts';
import type { Successor } from './successors.ts';

/**
 * The world as a pass sees it. `managed` gives a token's owner, or `undefined` when
 * nobody owns it.
 */
export interface PassContext {
  readonly clock: Clock;
  readonly store: CredentialStore;
  readonly send: Send;
  readonly limiter: Limiter;
  readonly report: Report;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
  /**
   * Seconds for which an answer is still accepted after the request timed out
   * (CREDMON_LATE_ANSWER).
   */
  readonly lateAnswer: () => number;
  /**
   * Whether this process still holds the lock of the credential directory; else it starts
   * no renewal.
   */
  readonly lockState: () => LockState;
}

/**
 * A renewal whose request timed out and whose answer may still come: of which `.top`,
 * with which refresh token, if any (a secret).
 */
export interface LateRenewal {
  readonly id: string;
  readonly from: FileIdentity | undefined;
  readonly sent: string | undefined;
}

/**
 * After a renewal: until when (steady seconds) the token is left alone, unless its `.top`
 * is another one than then; and how many renewals in a row brought one too short-lived to
 * be of use.
 */
export interface Pause {
  readonly until: number;
  readonly shortLives: number;
  readonly top: FileIdentity | undefined;
}

/**
 * What lives from pass to pass: renewals under way, those of which an answer may still
 * come after the time-out, failures, pauses after renewals, and rotated tokens that could
 * not be written yet; `since` when it began (epoch seconds), `cutSince` when calls began
 * to cut passes short, one after the other (steady seconds).
 */
export interface PassMemory {
  readonly since: number;
  cutSince: number | undefined;
  readonly inFlight: Set<string>;
  readonly late: Set<LateRenewal>;
  readonly failures: Map<string, RenewalState>;
  readonly pauses: Map<string, Pause>;
  readonly unwritten: Map<string, TokenChange>;
  /** Rotated refresh tokens of the last minutes, by token. */
  readonly successors: Map<string, Successor>;
  /** The token URLs of all `.meta` files that the last whole scan found. */
  metaUrls: ReadonlySet<string>;
}

/** A memory of nothing. */
export function emptyMemory(since: number): PassMemory {
  return {
    since,
    cutSince: undefined,
    inFlight: new Set(),
    late: new Set(),
    failures: new Map(),
    pauses: new Map(),
    unwritten: new Map(),
    successors: new Map(),
    metaUrls: new Set(),
  };
}
