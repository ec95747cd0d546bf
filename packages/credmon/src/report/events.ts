// The events that passes report; the log and the metrics are functions of them.
import type { CodedError } from '@credmon/core/base';
import type { RenewalState, TokenTimes } from '@credmon/core/credential';
import type { ManagedToken, Plan } from '@credmon/core/renewal';
import type { Scan } from '@credmon/core/store';

/** A scan and the plan that follows from it. */
export interface ScannedEvent {
  readonly type: 'scanned';
  readonly scan: Scan;
  readonly plan: Plan;
}

/** Who must act: the user, the administrator, or no one (time may fix it). */
export type FailureKind = 'revoked' | 'denied' | 'failed';

/** A new access token. `rotated`: the issuer replaced the refresh token. */
export interface Renewal {
  readonly managed: ManagedToken;
  readonly times: TokenTimes;
  readonly rotated: boolean;
}

/** Every event except the scan. Ids are `user/stem`. */
export type TokenEvent =
  | ({ readonly type: 'renewed' } & Renewal)
  /** An attempt failed; `state` says what happens next. */
  | {
      readonly type: 'failed';
      readonly managed: ManagedToken;
      readonly kind: FailureKind;
      readonly error: CodedError;
      readonly state: RenewalState;
    }
  /** Not tried, because other tokens of the same issuer failed. */
  | {
      readonly type: 'postponed';
      readonly managed: ManagedToken;
      readonly error: CodedError;
      readonly state: RenewalState;
    }
  /** Renewed, but not exactly as configured; `note` is a clause. */
  | { readonly type: 'noted'; readonly id: string; readonly note: string }
  /** The token's files were removed. */
  | { readonly type: 'removed'; readonly managed: ManagedToken; readonly error: CodedError }
  /** A temporary file of a dead process was put in place (`finished`) or removed. */
  | {
      readonly type: 'settled';
      readonly path: string;
      readonly why: string;
      readonly finished: boolean;
    }
  /** Files could not be written; they are kept in memory. */
  | { readonly type: 'unwritten'; readonly id: string; readonly why: string }
  /** A removal or a newer login during the renewal; its newer state is kept. */
  | { readonly type: 'superseded'; readonly text: string }
  /** Files that were kept in memory are now written, those of `renewal` if it was one. */
  | {
      readonly type: 'rewritten';
      readonly id: string;
      readonly renewal?: Renewal | undefined;
    }
  /**
   * A problem on our side. A problem with the renewal of the token `id` ends when that
   * token is renewed or gone; any other when a complete pass did not report it.
   */
  | { readonly type: 'problem'; readonly text: string; readonly id?: string | undefined };

/** What a pass reports. */
export type PassEvent = ScannedEvent | TokenEvent;

/**
 * Receives the events of passes. A scan is awaited: with 100,000 tokens its report must
 * yield to the event loop. Never throws.
 */
export interface Report {
  (event: ScannedEvent): Promise<void>;
  (event: TokenEvent): void;
}

/** Combines the two handlers into a report. */
export function reportOf(
  scanned: (event: ScannedEvent) => Promise<void>,
  other: (event: TokenEvent) => void,
): Report {
  function report(event: ScannedEvent): Promise<void>;
  function report(event: TokenEvent): void;
  function report(event: PassEvent): Promise<void> | undefined {
    if (event.type === 'scanned') return scanned(event);
    other(event);
    return undefined;
  }
  return report;
}

/** Forwards events to several reports, in order. */
export function reportToAll(reports: readonly Report[]): Report {
  return reportOf(
    async (event) => {
      for (const report of reports) await report(event);
    },
    (event) => {
      for (const report of reports) report(event);
    },
  );
}
