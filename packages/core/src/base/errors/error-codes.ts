// All error codes of all packages and what follows from each. error-codes.json is the one
// table; docs/errors.md is generated from it.
import rows from './error-codes.json' with { type: 'json' };

/** An error code. Codes are public: scripts match on them, so they are never renamed. */
export type ErrorCode = keyof typeof rows;

/** The properties of an error code. */
export interface ErrorFacts {
  /** The section of docs/errors.md. */
  readonly group: string;
  /** The meaning, in one line. */
  readonly text: string;
  /** The remedy. */
  readonly fix: string;
  /** The person who must act; `time` if nobody must. */
  readonly actor: 'user' | 'administrator' | 'time';
  /**
   * How a failed renewal is handled: `revoked` needs the user, `denied` needs the
   * administrator, `failed` is retried.
   */
  readonly outcome: 'revoked' | 'denied' | 'failed';
  /**
   * When a renewal is retried: after a growing delay; when the files or the client of the
   * token change; or on such a change and after a restart of the daemon.
   */
  readonly retry: 'backoff' | 'until-change' | 'until-restart';
  /**
   * The state of the issuer. `unavailable` also covers a missing response, see
   * `isSilence`.
   */
  readonly issuer: 'answered' | 'unavailable' | 'not-asked';
  /**
   * The exit code of a daemon that ends with this error: `failed` 1; `hold` 99 under
   * condor_master, else 1; `log` 44; `usage` 2.
   */
  readonly exit: 'failed' | 'hold' | 'log' | 'usage';
  /** True if the administrator may want this: it is not a fault to correct. */
  readonly intended?: boolean;
  /**
   * The next step for a token in this state, in the log and in `status`. Some kinds of
   * provider have their own. `{user}`, `{service}`, `{delete}`, `{add}`, `{store}` and
   * `{login}` are filled in.
   */
  readonly step?: Readonly<Partial<Record<string, string>>>;
}

/** The table of error codes. */
export const ERROR_CODES = rows as Readonly<Record<ErrorCode, ErrorFacts>>;
