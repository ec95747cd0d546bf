// The ports that passes use, and what is remembered between passes.
import type { Clock, Send } from '@credmon/core/base';
import type { CredentialStore, LockState, TokenChange } from '@credmon/core/store';
import type { FileIdentity, Parsed, RenewalState, TokenSnapshot } from '@credmon/core/credential';
import type { Limiter } from '../throttle/limiter.ts';
import type { Renewal, Report } from '../report/events.ts';
import type { AskedRenewals } from '../requests/asked.ts';
import type { Successor } from './successors.ts';

/** The ports of a pass. */
export interface PassContext {
  readonly clock: Clock;
  readonly store: CredentialStore;
  readonly send: Send;
  readonly limiter: Limiter;
  readonly report: Report;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
  /**
   * Await this before work that is ready for many renewals at the same time, so that a
   * token that a job waits for need not wait for all of them.
   */
  readonly turn: () => Promise<void> | undefined;
  /**
   * Seconds during which an answer is still accepted after the request timed out
   * (CREDMON_LATE_ANSWER).
   */
  readonly lateAnswer: () => number;
  /**
   * Whether this process still holds the lock of the credential directory; without it no
   * renewal starts.
   */
  readonly lockState: () => LockState;
  /** The renewals that users asked for, if they can. */
  readonly asked?: AskedRenewals;
}

/**
 * A renewal whose request timed out and may still be answered: its `.top` and its refresh
 * token, if any (a secret).
 */
export interface LateRenewal {
  readonly id: string;
  readonly from: FileIdentity | undefined;
  readonly sent: string | undefined;
}

/**
 * The pause after a renewal: until when (steady seconds) the token is not renewed unless
 * its `.top` changes, and how many renewals in a row returned a token too short-lived to
 * be useful.
 */
export interface Pause {
  readonly until: number;
  readonly shortLives: number;
  readonly top: FileIdentity | undefined;
}

/**
 * The tokens of a pass with the times until which they are fresh (steady seconds; in the past
 * for others), the lookup that owned them, and wall clock minus steady clock.
 */
export interface JudgedTokens {
  readonly tokens: readonly TokenSnapshot[];
  readonly freshUntil: Float64Array;
  readonly lookup: unknown;
  readonly offset: number;
}

/**
 * The files of a token that are not on disk yet; `renewal` if they are a new token's, `since`
 * when they were first written (steady seconds).
 */
export interface PendingChange extends TokenChange {
  readonly renewal?: Renewal | undefined;
  readonly since?: number;
}

/**
 * What is remembered between passes: renewals in progress, renewals that may be answered
 * late, failures, pauses, the changes that are being written (a late answer's can be one of
 * several of a token), and those that could not be written. `since`: when the process
 * started (epoch seconds). `cutSince`: since when wake-ups have aborted each pass (steady
 * seconds).
 */
export interface PassMemory {
  readonly since: number;
  cutSince: number | undefined;
  readonly inFlight: Set<string>;
  readonly late: Set<LateRenewal>;
  readonly failures: Map<string, RenewalState>;
  readonly pauses: Map<string, Pause>;
  readonly writing: Map<string, Set<PendingChange>>;
  readonly unwritten: Map<string, PendingChange>;
  /** Recently rotated refresh tokens, by token. */
  readonly successors: Map<string, Successor>;
  /** The token URLs of the `.meta` files that were read. */
  readonly metaUrls: Set<string>;
  /** The tokens of the last pass, and until when they are fresh. */
  judged: JudgedTokens | undefined;
  /** True once a pass has planned. */
  hasPlanned: boolean;
}

/** Returns an empty memory. */
export function emptyMemory(since: number): PassMemory {
  return {
    since,
    cutSince: undefined,
    inFlight: new Set(),
    late: new Set(),
    failures: new Map(),
    pauses: new Map(),
    writing: new Map(),
    unwritten: new Map(),
    successors: new Map(),
    metaUrls: new Set(),
    judged: undefined,
    hasPlanned: false,
  };
}
