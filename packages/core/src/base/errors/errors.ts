// The errors of credmon and the table of their codes.
import rows from './error-codes.json' with { type: 'json' };

/**
 * Fields of an error for machines. Must not contain a token, code, secret or verifier.
 */
export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * An error with a code from {@link ERROR_CODES}. `message` says what happened, where, and
 * what to do; it never contains a secret.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.fields = fields;
  }

  /**
   * True for the errors of every copy of this class: @credmon/scitokens is published with a
   * copy, and programs use it beside @credmon/core.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'CodedError' && 'fields' in value;
  }
}

/** True when `error` is a {@link CodedError}, of `code` if one is given. */
export function isCoded(error: unknown, code?: ErrorCode): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code);
}

/**
 * Linux error numbers without a name in Node, as returned by quotas, network file systems
 * and damaged disks.
 * @see errno(3)
 */
const UNNAMED: Readonly<Record<number, string>> = {
  37: 'ENOLCK',
  62: 'ETIME',
  74: 'EBADMSG',
  116: 'ESTALE',
  117: 'EUCLEAN',
  122: 'EDQUOT',
  123: 'ENOMEDIUM',
  126: 'ENOKEY',
};

/**
 * Returns the system's error name (`ENOENT`, `ECONNREFUSED`...) of an error or of one of
 * its causes, or `undefined`; `ERRNO_n` for a number without a name here.
 */
export function systemCode(error: unknown): string | undefined {
  for (
    let current = error, depth = 0;
    current instanceof Error && depth < 8;
    current = current.cause, depth += 1
  ) {
    const { code, errno } = current as { code?: unknown; errno?: unknown };
    if (
      typeof code === 'string' &&
      code.startsWith('Unknown system error') &&
      typeof errno === 'number'
    )
      return UNNAMED[Math.abs(errno)] ?? `ERRNO_${Math.abs(errno)}`;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) && !isCoded(current))
      return code;
  }
  return undefined;
}

/** Returns the text for a log line from any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

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
