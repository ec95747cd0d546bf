// Every error code of every package, and everything that follows from it: the one table
// is error-codes.json, and docs/errors.md is made from it.
import rows from './error-codes.json' with { type: 'json' };

/**
 * One of the codes. A code is part of the public interface: scripts match on it, so it is
 * never renamed.
 */
export type ErrorCode = keyof typeof rows;

/** What follows from a code. */
export interface ErrorFacts {
  /** The section of docs/errors.md. */
  readonly group: string;
  /** What it means, in one line. */
  readonly text: string;
  /** What to do about it. */
  readonly fix: string;
  /** Who must act; `time` when nobody must. */
  readonly actor: 'user' | 'administrator' | 'time';
  /**
   * How a renewal that ended with it counts: `revoked` needs the user, `denied` the
   * administrator, `failed` is retried.
   */
  readonly outcome: 'revoked' | 'denied' | 'failed';
  /**
   * When a renewal is tried again: after a growing delay, when the files or the client of
   * the token change, or then and after a restart of the daemon.
   */
  readonly retry: 'backoff' | 'until-change' | 'until-restart';
  /**
   * What it says of the issuer. `unavailable` holds for an answer that never came, see
   * `isSilence`.
   */
  readonly issuer: 'answered' | 'unavailable' | 'not-asked';
  /**
   * The exit code of a daemon that ends with it: 1; 99 under condor_master, else 1; 44;
   * 2.
   */
  readonly exit: 'failed' | 'hold' | 'log' | 'usage';
  /**
   * The next step for a token in this state, in the log and in `status`; for some kinds
   * of provider another one. `{user}`, `{delete}` and `{add}` are filled in.
   */
  readonly step?: Readonly<Partial<Record<string, string>>>;
}

/** The table of error codes. */
export const ERROR_CODES = rows as Readonly<Record<ErrorCode, ErrorFacts>>;
